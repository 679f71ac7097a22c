"""The paper's figures on this package, and its claims."""

from scaledetect.reproduce.run import Reproduction, names, reproduce

__all__ = ["Reproduction", "names", "reproduce"]
