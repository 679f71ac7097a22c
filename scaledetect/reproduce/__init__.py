"""The paper's figures on this package, and its claims."""

from scaledetect.reproduce.claims import Claims, claims
from scaledetect.reproduce.hypotheses import Hypotheses, Hypothesis, load_hypotheses
from scaledetect.reproduce.primary import Primary, decide_primary
from scaledetect.reproduce.run import Reproduction, names, reproduce

__all__ = [
    "Claims",
    "Hypotheses",
    "Hypothesis",
    "Primary",
    "Reproduction",
    "claims",
    "decide_primary",
    "load_hypotheses",
    "names",
    "reproduce",
]
