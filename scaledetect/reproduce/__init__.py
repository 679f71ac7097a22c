"""The paper's figures on this package: what is trained, measured and drawn, and the claims they decide."""

from scaledetect.reproduce.registry import names
from scaledetect.reproduce.run import Reproduction, reproduce

__all__ = ["Reproduction", "names", "reproduce"]
