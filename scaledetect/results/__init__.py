"""The frozen result types: what an estimator returns, theory returns, a store writes and a plot reads."""

from scaledetect.results.block_sums import BlockSums
from scaledetect.results.cluster import ClusterProfile, PairInteraction
from scaledetect.results.coherent_share import CoherentShare
from scaledetect.results.intervals import ExponentFit, Interval
from scaledetect.results.net_comparison import NetComparison
from scaledetect.results.pooling import Exponents, Pooling
from scaledetect.results.sensitivities import RARE_EVENTS, Sensitivities
from scaledetect.results.theory_comparison import TheoryComparison

__all__ = [
    "RARE_EVENTS",
    "BlockSums",
    "ClusterProfile",
    "CoherentShare",
    "ExponentFit",
    "Exponents",
    "Interval",
    "NetComparison",
    "PairInteraction",
    "Pooling",
    "Sensitivities",
    "TheoryComparison",
]
