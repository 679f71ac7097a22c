"""The frozen result types: what an estimator returns, theory returns, a store writes and a plot reads."""

from scaledetect.results.block_sums import BlockSums
from scaledetect.results.intervals import ExponentFit, Interval
from scaledetect.results.net_comparison import NetComparison
from scaledetect.results.pooling import Exponents, Pooling
from scaledetect.results.sensitivities import RARE_EVENTS, Sensitivities
from scaledetect.results.theory_comparison import TheoryComparison

__all__ = [
    "RARE_EVENTS",
    "BlockSums",
    "ExponentFit",
    "Exponents",
    "Interval",
    "NetComparison",
    "Pooling",
    "Sensitivities",
    "TheoryComparison",
]
