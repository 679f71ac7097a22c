"""The paper's figures on this package, and its claims."""

from scaledetect.reproduce.registry import names
from scaledetect.reproduce.run import Reproduction, reproduce

__all__ = ["Reproduction", "names", "reproduce"]
