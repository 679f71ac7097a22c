"""Frozen results of the cluster expansion: the profile of single pixels, and the interaction of two."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["ClusterProfile", "PairInteraction"]


@dataclass(frozen=True, eq=False)
class ClusterProfile:
    """How alike a layer responds to one active pixel and to the same z pixels away: C(z) / C(0).

    Attributes
    ----------
    layers : tuple of str, length K
    z : ndarray of int64, shape (Z,)
        Distances along an axis, pixels: 0, 1, ...
    profile : ndarray of float64, shape (K, Z)
        C(z) / C(0), with C(z) the mean of <phi(p), phi(p + z)> over pixels p and axes. NaN where a layer does not
        respond to any pixel.
    energy : ndarray of float64, shape (K,)
        C(0), the mean of |phi(p)|^2.
    """

    layers: tuple[str, ...]
    z: NDArray[np.int64]
    profile: FloatArray
    energy: FloatArray

    def __post_init__(self) -> None:
        if self.profile.shape != (len(self.layers), len(self.z)):
            raise bad_value("profile", self.profile.shape, f"must have shape {(len(self.layers), len(self.z))}")
        if self.energy.shape != (len(self.layers),):
            raise bad_value("energy", self.energy.shape, f"must have one entry for each of the layers {self.layers}")
        _freeze(self)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"<ClusterProfile of {len(self)} layers, z = 0 .. {self.z[-1]}>"

    @property
    def neighbour_correlation(self) -> FloatArray:
        """C(1) / C(0), shape (K,): what training raises. For pixels far apart in one dimension D is 1 less this."""
        return self.profile[:, 1]

    def to_frame(self) -> pd.DataFrame:
        """One row for each layer and distance: `layer`, `k` (1 to K), `z`, `profile`."""
        import pandas as pd

        size = len(self.z)
        columns = {
            "layer": np.repeat(np.array(self.layers, dtype=object), size),
            "k": np.repeat(np.arange(1, len(self) + 1), size),
            "z": np.tile(self.z, len(self)),
            "profile": self.profile.ravel(),
        }
        return pd.DataFrame(columns)

    def plot(self, **options: Any) -> Figure:
        """Profile of each layer, and the neighbour correlation. See `scaledetect.plots.plot_cluster_profile`."""
        from scaledetect.plots import plot_cluster_profile

        return plot_cluster_profile(self, **options)


@dataclass(frozen=True, eq=False)
class PairInteraction:
    """Share of D and Delta of each layer that first order misses: 1 - (first order) / (measured).

    Attributes
    ----------
    layers : tuple of str, length K
    D, Delta : ndarray of float64, shape (K,)
        Positive where the pair raises the value, negative where it lowers it, 0 for a net linear on two pixels. NaN
        where a layer has no D, or the measured value is 0.
    D_stderr, Delta_stderr : ndarray of float64, shape (K,)
        Standard errors, from those of the measurement.
    """

    layers: tuple[str, ...]
    D: FloatArray
    Delta: FloatArray
    D_stderr: FloatArray
    Delta_stderr: FloatArray

    def __post_init__(self) -> None:
        for name in ("D", "Delta", "D_stderr", "Delta_stderr"):
            if getattr(self, name).shape != (len(self.layers),):
                raise bad_value(name, getattr(self, name).shape, f"must have one entry for each of {self.layers}")
        _freeze(self)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"<PairInteraction of {len(self)} layers>"

    def to_frame(self) -> pd.DataFrame:
        """One row a layer: `layer`, `k` (1 to K), then D, Delta and their standard errors."""
        import pandas as pd

        values = {name: getattr(self, name) for name in ("D", "D_stderr", "Delta", "Delta_stderr")}
        return pd.DataFrame({"layer": self.layers, "k": np.arange(1, len(self) + 1), **values})


def _freeze(result: ClusterProfile | PairInteraction) -> None:
    for item in fields(result):
        value = getattr(result, item.name)
        if isinstance(value, np.ndarray):
            value = value.copy()
            value.flags.writeable = False
            object.__setattr__(result, item.name, value)
