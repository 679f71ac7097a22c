"""The frozen result types: what an estimator returns, theory returns, a store writes and a plot reads."""

from scaledetect.results.comparison import Comparison
from scaledetect.results.intervals import ExponentFit, Interval
from scaledetect.results.pooling import Exponents, Pooling
from scaledetect.results.sensitivities import RARE_EVENTS, FloatArray, Sensitivities
from scaledetect.results.sums import BlockSums

__all__ = [
    "RARE_EVENTS", "BlockSums", "Comparison", "ExponentFit", "Exponents", "FloatArray", "Interval", "Pooling",
    "Sensitivities",
]  # fmt: skip
