"""The frozen result type `Sensitivities`, of a measurement or of a theory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect._base.files import plain
from scaledetect.results.block_sums import BlockSums
from scaledetect.results.storage import load, plain_config, save

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["RARE_EVENTS", "Sensitivities"]


RARE_EVENTS = 400
"""A numerator seen non-zero fewer times than this has an error bar that is not to be trusted."""


@dataclass(frozen=True, eq=False)
class Sensitivities:
    """Sensitivities of each layer to deformation and to noise, with standard errors; measured or exact alike.

    Attributes
    ----------
    layers : tuple of str, length K
        Names of the layers, in order of execution.
    D, G, R, Delta : ndarray of float64, shape (K,)
        Sensitivity to deformation, to noise, their ratio, and the normalisation E|f(x1) - f(x2)|^2. NaN where a layer
        is constant or not finite (R only where the noise response is 0).
    D_stderr, G_stderr, R_stderr, Delta_stderr : ndarray of float64, shape (K,)
        Standard errors; 0 where the value is exact, as theory is but for parts that it draws.
    D_events, G_events : ndarray of int64, shape (K,)
        How many draws had a numerator other than 0; -1 for theory. Below `RARE_EVENTS` an error bar is unreliable.
    A : ndarray of float64, shape (K,), or None
        Effective receptive field in input pixels, where the net states it.
    sigma : float
        Standard deviation of the noise per pixel; NaN where it differs from image to image.
    kind : {"measured", "theory"}
    n : int
        Number of draws; 0 for exact theory.
    n_blocks : int
        Blocks of the jackknife; z follows Student's t with n_blocks - 1 degrees of freedom. 0 for exact
        theory.
    config : mapping
        What it is a measurement of: task, net, noise, seed, as plain data (tuples become lists).
    deviations : mapping of str to ndarray of float64, shape (n_blocks, K), or None
        For "D", "G", "R" and "Delta" what each block of the jackknife adds to the error: the sum of its squares over
        blocks is the squared standard error. Sums of products are covariances, between layers, and between nets
        measured on the same draws.
    sums : mapping of str to BlockSums, or None
        Sums of each layer over the draws, where asked for: what `scaledetect.sensitivity.merge` puts together.
    """

    layers: tuple[str, ...]
    D: FloatArray
    G: FloatArray
    R: FloatArray
    Delta: FloatArray
    D_stderr: FloatArray
    G_stderr: FloatArray
    R_stderr: FloatArray
    Delta_stderr: FloatArray
    sigma: float
    kind: Literal["measured", "theory"]
    A: FloatArray | None = None
    D_events: NDArray[np.int64] | None = None
    G_events: NDArray[np.int64] | None = None
    n: int = 0
    n_blocks: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)
    deviations: Mapping[str, FloatArray] | None = None
    sums: Mapping[str, BlockSums] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            value = getattr(self, name)
            if value is None:
                continue
            array = np.array(value, dtype=np.int64 if name.endswith("_events") else np.float64)
            if array.shape != (len(self.layers),):
                raise bad_value(name, array.shape, f"must have one entry for each of the {len(self.layers)} layers")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "config", plain_config(self.config))

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"<Sensitivities {self.kind}, {len(self)} layers, n={self.n}, sigma={self.sigma:.6g}>"

    @property
    def depth(self) -> NDArray[np.int64]:
        """Layer numbers 1..K."""
        return np.arange(1, len(self) + 1)

    @property
    def rare(self) -> NDArray[np.bool_]:
        """Layers of which D or G was seen non-zero too seldom for its error bar; shape (K,)."""
        flags = np.zeros(len(self), dtype=bool)
        for events in (self.D_events, self.G_events):
            if events is not None:
                flags |= (events >= 0) & (events < RARE_EVENTS)
        return flags

    def z(self, reference: Sensitivities) -> dict[str, FloatArray]:
        """Deviation from `reference` in joint standard errors, for "D", "G", "R" and "Delta"; each of shape (K,).

        0 where both agree to rounding and neither has an error; infinite where they differ and neither has one.
        """
        if self.layers != reference.layers:
            raise bad_value("reference", reference.layers, f"has other layers than this result: {self.layers}")
        return {name: _z_score(self, reference, name) for name in ("D", "G", "R", "Delta")}

    def to_frame(self) -> pd.DataFrame:
        """One row a layer: `layer`, `k`, `A` where known, then D, G, R, Delta and their standard errors."""
        import pandas as pd

        columns: dict[str, Any] = {"layer": self.layers, "k": self.depth}
        columns |= {name: value for name in _ARRAYS if (value := getattr(self, name)) is not None}
        return pd.DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON (NaN becomes None); without `deviations` and `sums`."""
        names = [f.name for f in fields(self) if f.name not in ("deviations", "sums")]
        return {name: plain(getattr(self, name)) for name in names}

    def save(self, path: str | Path) -> Path:
        """Write all of it to a file, whole or not at all: ``.npz`` or ``.json``, as the name ends; returns the path.

        Every number comes back bit for bit. JSON is for reading and takes no `sums`.
        """
        return save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` has written. Nothing in the file is executed: no pickle."""
        return cls(**load(path))

    def plot(self, theory: Sensitivities | None = None, **options: Any) -> Figure:
        """D, G and R against depth, `theory` dashed beside it. See `scaledetect.plots.plot_sensitivities`."""
        from scaledetect.plots.sensitivities import plot_sensitivities

        return plot_sensitivities(self, theory=theory, **options)


_ARRAYS = (
    "A", "D", "D_stderr", "G", "G_stderr", "R", "R_stderr", "Delta", "Delta_stderr", "D_events", "G_events",
)  # fmt: skip


def _z_score(one: Sensitivities, other: Sensitivities, name: str) -> FloatArray:
    a, b = getattr(one, name), getattr(other, name)
    error = np.hypot(getattr(one, name + "_stderr"), getattr(other, name + "_stderr"))
    gap = a - b
    # What separates two zeros, or two results without an error bar, is rounding.
    same = np.isclose(a, b, rtol=0, atol=1e-12) | (np.isclose(a, b, rtol=1e-6) & (error == 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(error > 0, gap / error, np.where(np.isnan(gap), np.nan, np.inf))
    return np.where(same, 0.0, score)
