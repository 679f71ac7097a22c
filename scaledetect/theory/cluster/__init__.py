"""Cluster expansion of any net in its active pixels: sensitivities, the profile of single pixels, pair interactions."""

from scaledetect.theory.cluster.interaction import pair_interaction
from scaledetect.theory.cluster.profile import cluster_profile
from scaledetect.theory.cluster.sensitivities import cluster_sensitivities

__all__ = ["cluster_profile", "cluster_sensitivities", "pair_interaction"]
