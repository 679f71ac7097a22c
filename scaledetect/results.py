"""The frozen result types: what an estimator returns, theory returns, a store writes and a plot reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from scaledetect.errors import bad_value

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["RARE_EVENTS", "Exponents", "Pooling", "Sensitivities"]

FloatArray = NDArray[np.float64]

RARE_EVENTS = 400
"""A numerator seen non-zero fewer times than this has an error bar that is not to be trusted."""


@dataclass(frozen=True)
class Pooling:
    """Filter side and stride of each layer of a net that only pools: all the exact theory needs to know of it."""

    filter_size: tuple[int, ...]
    stride: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.filter_size) != len(self.stride) or not self.stride:
            raise bad_value(
                "stride", self.stride, f"needs one entry per layer, as filter_size={self.filter_size!r} has"
            )
        for name in ("filter_size", "stride"):
            for value in getattr(self, name):
                if not isinstance(value, int) or value < 1:
                    raise bad_value(name, value, "must be an integer of at least 1")

    @classmethod
    def of(cls, filter_size: int | tuple[int, ...], stride: int | tuple[int, ...], depth: int) -> Pooling:
        """Spread single numbers over `depth` layers; tuples must have `depth` entries."""

        def spread(name: str, value: int | tuple[int, ...]) -> tuple[int, ...]:
            entries = tuple(np.full(depth, value).tolist() if np.ndim(value) == 0 else np.asarray(value).tolist())
            if len(entries) != depth:
                raise bad_value(name, value, f"needs one number, or one per layer (depth={depth})")
            return entries

        if depth < 1:
            raise bad_value("depth", depth, "must be at least 1")
        return cls(spread("filter_size", filter_size), spread("stride", stride))

    @property
    def depth(self) -> int:
        """Number of layers K."""
        return len(self.stride)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the K post-ReLU maps: layer1 ... layerK."""
        return tuple(f"layer{k}" for k in range(1, self.depth + 1))

    @property
    def A(self) -> FloatArray:
        """Effective receptive field of each layer, in input pixels: sqrt(1 + 12 Var), shape (K,)."""
        spacing = np.cumprod((1, *self.stride[:-1]), dtype=np.float64)
        return np.sqrt(1 + np.cumsum((np.square(self.filter_size, dtype=np.float64) - 1) * spacing**2))

    def sizes(self, size: int) -> tuple[int, ...]:
        """Side of the map after each layer, for an image of side `size`."""
        sides = []
        for stride in self.stride:
            size = -(-size // stride)
            sides.append(size)
        return tuple(sides)


@dataclass(frozen=True)
class Exponents:
    """How D, G and R scale with the effective receptive field A: negative falls, positive rises.

    `converges` is the sum rule "stride divides filter_size". `plateau` is the limit of D: 0 where D decays, positive
    where the rule fails, and 1 for filter_size = stride = 1, which pools nothing.
    """

    D: float
    G: float
    R: float
    converges: bool
    plateau: float


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
        Standard errors; 0 for theory.
    D_events, G_events : ndarray of int64, shape (K,)
        How many draws had a numerator other than 0; -1 for theory. Below `RARE_EVENTS` an error bar is unreliable.
    A : ndarray of float64, shape (K,), or None
        Effective receptive field in input pixels, where the net states it.
    sigma : float
        Standard deviation of the noise per pixel; NaN where it differs from image to image.
    kind : {"measured", "theory"}
    n : int
        Number of draws; 0 for theory.
    n_blocks : int
        Blocks of the jackknife; z follows Student's t with n_blocks - 1 degrees of freedom. 0 for theory.
    config : mapping
        What it is a measurement of: task, net, noise, seed, as plain data.
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
        """Plain data, ready for JSON (NaN becomes None)."""

        def plain(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return [plain(v) for v in value.tolist()]
            if isinstance(value, float) and not np.isfinite(value):
                return None
            return dict(value) if isinstance(value, Mapping) else value

        return {f.name: plain(getattr(self, f.name)) for f in fields(self)} | {"layers": list(self.layers)}

    def plot(self, theory: Sensitivities | None = None, **options: Any) -> Figure:
        """D, G and R against depth, `theory` dashed beside it. See `scaledetect.plots.plot_sensitivities`."""
        from scaledetect.plots import plot_sensitivities

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
