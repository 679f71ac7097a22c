"""Probes of spatial and of channel pooling, for any net with convolutions; none changes the net it is given."""

from scaledetect.probes.coherence import coherent_share
from scaledetect.probes.filters import gaussian_filters, mean_field_filters, mean_filters
from scaledetect.probes.receptive_field import ReceptiveFields, effective_receptive_field
from scaledetect.probes.shuffle import shuffle_channels
from scaledetect.probes.spectrum import FilterSpectrum, Levels, filter_spectrum

__all__ = [
    "FilterSpectrum",
    "Levels",
    "ReceptiveFields",
    "coherent_share",
    "effective_receptive_field",
    "filter_spectrum",
    "gaussian_filters",
    "mean_field_filters",
    "mean_filters",
    "shuffle_channels",
]
