"""The frozen result type `Sensitivities`, of a measurement or of a theory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scaledetect._base.arguments import real_array, texts
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.files import plain
from scaledetect._base.tables import html_table, with_error
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
        Sums of each layer over the draws, where asked for: what `scaledetect.merge` puts together.
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

    @classmethod
    def from_arrays(
        cls,
        *,
        D: ArrayLike | None = None,
        G: ArrayLike | None = None,
        R: ArrayLike | None = None,
        Delta: ArrayLike | None = None,
        layers: Sequence[str] | None = None,
        A: ArrayLike | None = None,
        D_stderr: ArrayLike | None = None,
        G_stderr: ArrayLike | None = None,
        R_stderr: ArrayLike | None = None,
        Delta_stderr: ArrayLike | None = None,
        sigma: float = float("nan"),
        config: Mapping[str, Any] | None = None,
    ) -> Self:
        """A prediction made elsewhere, of the kind "theory".

        Parameters
        ----------
        D, G, R, Delta : array_like of float, shape (K,), optional
            At least one of D, G and R. Finite and not negative; NaN, and all of what is left out, says nothing. R left
            out is D / G, where G is not 0.
        layers : sequence of str, optional
            Names of the layers, all different; layer1 .. layerK by default, those of a `PoolingNet`.
        A : array_like of float, shape (K,), optional
            Effective receptive field, in input pixels.
        D_stderr, G_stderr, R_stderr, Delta_stderr : array_like of float, shape (K,), optional
            Standard errors; 0 by default: exact.
        sigma : float, optional
            Standard deviation of the noise per pixel.
        config : mapping, optional
            What it is a prediction of, as plain data.

        Raises
        ------
        TypeError, ValueError
            Naming the argument, for numbers that are infinite or negative, and for lengths that differ.

        Examples
        --------
        >>> import scaledetect as sd
        >>> sd.Sensitivities.from_arrays(D=[0.5, 0.25], G=[1.0, 2.0]).R
        array([0.5  , 0.125])
        """
        given = {"D": D, "G": G, "R": R, "Delta": Delta, "A": A}
        errors = {"D": D_stderr, "G": G_stderr, "R": R_stderr, "Delta": Delta_stderr}
        arrays = {name: _prediction(name, value) for name, value in given.items() if value is not None}
        if not arrays.keys() & {"D", "G", "R"}:
            raise bad_value("D", None, "D, G or R must be given")
        K = len(arrays[next(name for name in ("D", "G", "R") if name in arrays)])
        names = tuple(f"layer{k}" for k in range(1, K + 1)) if layers is None else texts("layers", layers)
        if len(set(names)) < len(names):
            raise bad_value("layers", layers, "must be all different", "leave it out for layer1 .. layerK")
        columns: dict[str, Any] = {name: arrays.get(name, np.full(K, np.nan)) for name in ("D", "G", "R", "Delta")}
        if R is None and D is not None and G is not None and columns["D"].shape == columns["G"].shape:
            with np.errstate(divide="ignore", invalid="ignore"):
                columns["R"] = np.where(columns["G"] > 0, columns["D"] / columns["G"], np.nan)
        columns |= {
            f"{name}_stderr": np.zeros(K) if error is None else _prediction(f"{name}_stderr", error)
            for name, error in errors.items()
        }
        return cls(layers=names, **columns, A=arrays.get("A"), sigma=sigma, kind="theory", config=config or {})

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        drawn = f", n={self.n}" if self.n else ""
        return f"<Sensitivities {self.kind}, {len(self)} layers{drawn}{self._sigma_text('=', 6)}>"

    def _sigma_text(self, sign: str, digits: int) -> str:
        """Nothing where it is not known, or differs from image to image."""
        return "" if np.isnan(self.sigma) else f", sigma{sign}{self.sigma:.{digits}g}"

    def _repr_html_(self) -> str:
        """One row a layer, as a notebook shows it."""
        headings = ("k", "layer", *(() if self.A is None else ("A",)), "D", "G", "R", "Delta")
        rows = []
        for k, layer in enumerate(self.layers):
            values = (with_error(getattr(self, q)[k], getattr(self, q + "_stderr")[k]) for q in headings[-4:])
            size = () if self.A is None else (f"{self.A[k]:.2f}",)
            rows.append((f"{k + 1}{'*' if self.rare[k] else ''}", layer, *size, *values))
        drawn = f", n = {self.n}" if self.n else ""
        title = f"Sensitivities, {self.kind}{drawn}{self._sigma_text(' = ', 4)}"
        rare = f"* D or G was not 0 in fewer than {RARE_EVENTS} draws: do not trust the error bars of this row"
        return html_table(title, headings, rows, left=2, note=rare if self.rare.any() else "")

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

    @overload
    def z(self, reference: Sensitivities) -> dict[str, FloatArray]: ...
    @overload
    def z(self, reference: Mapping[str, Sensitivities]) -> dict[str, dict[str, FloatArray]]: ...
    def z(
        self, reference: Sensitivities | Mapping[str, Sensitivities]
    ) -> dict[str, FloatArray] | dict[str, dict[str, FloatArray]]:
        """Deviation from `reference` in joint standard errors, for "D", "G", "R" and "Delta"; each of shape (K,).

        0 where both agree to rounding and neither has an error; infinite where they differ and neither has one; NaN
        where the reference says nothing, as of layers that it does not name. Several references, by name, give such a
        dictionary each.
        """
        if isinstance(reference, Mapping):
            return {name: self.z(one) for name, one in reference.items()}
        if not isinstance(reference, Sensitivities):
            text = "must be a Sensitivities, or a mapping from names to such"
            raise bad_type("reference", type(reference).__name__, text, "make one with Sensitivities.from_arrays")
        if not set(reference.layers) <= set(self.layers):
            way_out = "give from_arrays(layers=...) layers of this result"
            raise bad_value("reference", reference.layers, f"has other layers than this result: {self.layers}", way_out)
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

    @staticmethod
    def merge(parts: Iterable[Sensitivities]) -> Sensitivities:
        """One measurement from shards with different draws: see `scaledetect.merge`."""
        from scaledetect.results.merge import merge

        return merge(parts)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` has written. Nothing in the file is executed: no pickle."""
        return cls(**load(path))

    def plot(self, theory: Sensitivities | Mapping[str, Sensitivities] | None = None, **options: Any) -> Figure:
        """D, G and R against depth, `theory` beside it: dashed, or several by name, each with lines of its own.

        See `scaledetect.plots.plot_sensitivities`.
        """
        from scaledetect.plots.sensitivities import plot_sensitivities

        return plot_sensitivities(self, theory=theory, **options)


_ARRAYS = (
    "A", "D", "D_stderr", "G", "G_stderr", "R", "R_stderr", "Delta", "Delta_stderr", "D_events", "G_events",
)  # fmt: skip


def _prediction(name: str, value: ArrayLike) -> FloatArray:
    array = np.array(real_array(name, value))
    if array.ndim != 1 or not array.size:
        raise bad_value(name, array.shape, "must have shape (K,), one number for each layer")
    if np.isinf(array).any() or (array < 0).any():
        raise bad_value(name, array.tolist(), "must be finite and not negative", "NaN says nothing of a layer")
    return array


def _over(layers: Sequence[str], s: Sensitivities, name: str) -> FloatArray:
    """The numbers of `s` in the places of `layers`; NaN for those that it does not have."""
    known = dict(zip(s.layers, getattr(s, name), strict=True))
    return np.array([known.get(layer, np.nan) for layer in layers], dtype=np.float64)


def _z_score(one: Sensitivities, other: Sensitivities, name: str) -> FloatArray:
    a, b = getattr(one, name), _over(one.layers, other, name)
    error = np.hypot(getattr(one, name + "_stderr"), _over(one.layers, other, name + "_stderr"))
    gap = a - b
    # What separates two zeros, or two results without an error bar, is rounding.
    same = np.isclose(a, b, rtol=0, atol=1e-12) | (np.isclose(a, b, rtol=1e-6) & (error == 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(error > 0, gap / error, np.where(np.isnan(gap), np.nan, np.inf))
    return np.where(same, 0.0, score)
