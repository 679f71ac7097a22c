"""Theory of constant filters, of mean filters, of random nets, of any net by its active pixels; curves of kernels.

Theories of sensitivities return the `Sensitivities` that a measurement returns. `at_initialisation` satisfies:

- equal images have distance 0, and ReLU never takes two images further apart;
- weak noise enters by its second moment alone;
- D and Delta do not depend on the noise;
- channel means tend to those of mean activations as the width grows.

`cluster_sensitivities` satisfies:

- first order is exact for nets linear in their input, constant filters among them, and second order for all;
- D and Delta do not depend on the noise, nor on how much memory there is.
"""

from scaledetect.theory._coherent_share import coherent_share
from scaledetect.theory._contract import Theory
from scaledetect.theory._exponents import exponents, lattice_sensitivities, refinement_matrix
from scaledetect.theory._matching import ensemble_sigma
from scaledetect.theory._mean_filters import mean_filter_sensitivities
from scaledetect.theory._sensitivities import sensitivities
from scaledetect.theory.cluster import cluster_profile, cluster_sensitivities, pair_interaction
from scaledetect.theory.initialisation import at_initialisation, one_net_scatter
from scaledetect.theory.kernels import KernelLearningCurve, kernel_learning_curve

__all__ = [
    "KernelLearningCurve",
    "Theory",
    "at_initialisation",
    "cluster_profile",
    "cluster_sensitivities",
    "coherent_share",
    "ensemble_sigma",
    "exponents",
    "kernel_learning_curve",
    "lattice_sensitivities",
    "mean_filter_sensitivities",
    "one_net_scatter",
    "pair_interaction",
    "refinement_matrix",
    "sensitivities",
]
