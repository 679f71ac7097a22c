"""Frozen result: the share of a layer's noise response that is the same for every draw of the noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.results.storage import plain_config

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["CoherentShare"]


@dataclass(frozen=True, eq=False)
class CoherentShare:
    """Coherent share of the noise response of each layer, measured or exact alike.

    Attributes
    ----------
    layers : tuple of str, length K
    share : ndarray of float64, shape (K,)
        E_x |E_eta e|^2 / E_x E_eta |e|^2, e = f(x + eta) - f(x): 0 for a response that averages out over draws of the
        noise, 1 for one that is the same for all. NaN where a layer does not respond or is not finite. A measurement is
        unbiased in numerator and denominator, and may leave the range from 0 to 1 by its error.
    stderr : ndarray of float64, shape (K,)
        Standard error; 0 for theory.
    sigma : float
        Standard deviation of the noise per pixel; NaN where it differs from image to image.
    kind : {"measured", "theory"}
    n : int
        Images, with two draws of the noise each; 0 for theory.
    n_blocks : int
        Blocks of the jackknife: z follows Student's t with n_blocks - 1 degrees of freedom. 0 for theory.
    A : ndarray of float64, shape (K,), or None
        Effective receptive field in input pixels, where the net states it.
    config : mapping
        Task, net, noise and seed, as plain data.
    """

    layers: tuple[str, ...]
    share: FloatArray
    stderr: FloatArray
    sigma: float
    kind: Literal["measured", "theory"]
    n: int = 0
    n_blocks: int = 0
    A: FloatArray | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("share", "stderr", "A"):
            if getattr(self, name) is None:
                continue
            array = np.array(getattr(self, name), dtype=np.float64)
            if array.shape != (len(self.layers),):
                raise bad_value(name, array.shape, f"must have one entry for each of the {len(self.layers)} layers")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "config", plain_config(self.config))

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"<CoherentShare {self.kind}, {len(self)} layers, n={self.n}, sigma={self.sigma:.6g}>"

    def z(self, reference: CoherentShare) -> FloatArray:
        """Deviation from `reference` in joint standard errors, shape (K,); NaN where either share is.

        0 where both agree to 1e-12, which is rounding; infinite where they differ and neither has an error.
        """
        if self.layers != reference.layers:
            raise bad_value("reference", reference.layers, f"has other layers than this result: {self.layers}")
        gap, error = self.share - reference.share, np.hypot(self.stderr, reference.stderr)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.abs(gap) <= 1e-12, 0.0, gap / error)

    def to_frame(self) -> pd.DataFrame:
        """One row a layer: `layer`, `k` (1 to K), `A` where known, `share`, `stderr`."""
        import pandas as pd

        columns: dict[str, Any] = {"layer": self.layers, "k": np.arange(1, len(self) + 1)}
        columns |= {} if self.A is None else {"A": self.A}
        return pd.DataFrame(columns | {"share": self.share, "stderr": self.stderr})

    def plot(self, theory: CoherentShare | None = None, **options: Any) -> Figure:
        """Share against depth, `theory` dashed beside it. See `scaledetect.plots.plot_coherent_share`."""
        from scaledetect.plots import plot_coherent_share

        return plot_coherent_share(self, theory=theory, **options)
