"""Filter spectrum: the share of each Laplacian mode in a layer's filters; the constant mode is spatial pooling."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn
from torch import Tensor, nn

from scaledetect._base.arguments import one_of
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.probes.convolutions import convolutions

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["FilterSpectrum", "Levels", "filter_spectrum"]


class Levels(NamedTuple):
    """The spectrum of one layer by eigenvalue: each of shape (number of eigenvalues,), eigenvalues ascending.

    `P` is the sum over the modes of an eigenvalue, `modes` is how many it has.
    """

    eigenvalues: FloatArray
    P: FloatArray
    modes: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FilterSpectrum:
    """Share of each layer's filters in each mode of their grid; the shares of a layer sum to one.

    Attributes
    ----------
    layers : tuple of str, length K
        Names of the convolutions.
    P : tuple of K ndarrays of float64, each of the shape of the layer's filters, (F,), (F, F) or (F, F, F)
        Share of the mode of frequency l_a along axis a at index (l_1, ..., l_d). NaN where a layer's filters are all
        zero or not finite.
    eigenvalues : tuple of K ndarrays of float64, of the same shapes
        Eigenvalue of each mode, sum over axes of 2 - 2 cos(pi l_a / F_a), between 0 and 4 d.
    """

    layers: tuple[str, ...]
    P: tuple[FloatArray, ...]
    eigenvalues: tuple[FloatArray, ...]

    def __post_init__(self) -> None:
        for name in ("P", "eigenvalues"):
            arrays = tuple(np.array(array, dtype=np.float64) for array in getattr(self, name))
            if [array.shape for array in arrays] != [array.shape for array in self.P] or len(arrays) != len(self):
                raise bad_value(
                    name, [array.shape for array in arrays], f"must have one array for each of {self.layers}"
                )
            for array in arrays:
                array.flags.writeable = False
            object.__setattr__(self, name, arrays)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"<FilterSpectrum of {len(self)} layers>"

    @property
    def constant(self) -> FloatArray:
        """Share of the constant mode of each layer, spatial pooling; shape (K,)."""
        return np.array([P.flat[0] for P in self.P])

    @property
    def pointwise(self) -> NDArray[np.bool_]:
        """Layers whose filters have one pixel, shape (K,): the constant is their only mode, and says nothing."""
        return np.array([P.size == 1 for P in self.P])

    @property
    def levels(self) -> tuple[Levels, ...]:
        """The spectrum of each layer summed over the modes of each eigenvalue."""
        return tuple(_levels(P, eigenvalues) for P, eigenvalues in zip(self.P, self.eigenvalues, strict=True))

    def to_frame(self, by: Literal["mode", "eigenvalue"] = "mode") -> pd.DataFrame:
        """One row for each layer and mode, or eigenvalue.

        Columns `layer`, `k` (1 to K), `mode` (the frequencies, as a tuple) or `modes` (how many), `eigenvalue`, `P`.
        """
        import pandas as pd

        one_of("by", by, ("mode", "eigenvalue"))
        rows: list[tuple[Any, ...]] = []
        for k, (layer, P, eigenvalues) in enumerate(zip(self.layers, self.P, self.eigenvalues, strict=True), start=1):
            if by == "mode":
                rows += [(layer, k, mode, eigenvalues[mode], P[mode]) for mode in np.ndindex(P.shape)]
            else:
                rows += [(layer, k, n, value, share) for value, share, n in zip(*_levels(P, eigenvalues), strict=True)]
        return pd.DataFrame(rows, columns=["layer", "k", "mode" if by == "mode" else "modes", "eigenvalue", "P"])

    def plot(self, **options: Any) -> Figure:
        """Spectrum of each layer, and its constant share by depth. See `scaledetect.plots.plot_spectra`."""
        from scaledetect.plots.filter_spectra import plot_spectra

        return plot_spectra(self, **options)


def filter_spectrum(net: nn.Module) -> FilterSpectrum:
    """Project the filters of each convolution on the eigenvectors of the Laplacian of their grid.

    With psi_l the eigenvectors of the grid graph of F^d sites with free boundary, P_l = sum over the filters w of the
    layer of (psi_l . w)^2 / sum of |w|^2. The eigenvalues are degenerate; the eigenvectors are those of the separable
    DCT-II basis, product over axes of cos(pi l (u + 1/2) / F). l = 0 is the constant: a layer that only pools space has
    P_0 = 1, white filters have P_l = F^-d.

    Parameters
    ----------
    net : torch.nn.Module
        With convolutions of 1, 2 or 3 dimensions, of any side (rectangular too), in groups or not. It is not changed.

    Returns
    -------
    FilterSpectrum
        A row for each convolution, in the order of ``net.named_modules()``; one that is used several times has one.
        Those of one pixel have P = [1] and are marked by `pointwise`.

    Raises
    ------
    TypeError, ValueError
        When `net` has no convolution, or one that is lazy, quantised, complex or on the meta device.

    Warns
    -----
    RuntimeWarning
        For layers whose filters are all zero or not finite; their shares are NaN.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 3.

    Examples
    --------
    >>> import scaledetect as sd
    >>> from scaledetect.probes import filter_spectrum
    >>> filter_spectrum(sd.nets.ConstantFilterNet(dim=1, filter_size=3, depth=2)).constant
    array([1., 1.])
    """
    shares = {name: _shares(conv.weight) for name, conv in convolutions(net).items()}
    if flawed := [name for name, P in shares.items() if not np.isfinite(P).all()]:
        message = f"all filters are zero, or some are not finite, so P is NaN: {', '.join(flawed)}"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    P = tuple(shares.values())
    return FilterSpectrum(tuple(shares), P, tuple(_eigenvalues(share.shape) for share in P))


def _shares(weight: Tensor) -> FloatArray:
    w = weight.detach().double().cpu().numpy()
    largest = np.abs(w).max()
    if not 0 < largest < np.inf:
        return np.full(w.shape[2:], np.nan)
    # Squares of extreme weights would leave the range of float64.
    w = w / largest
    modes = dctn(w, type=2, norm="ortho", axes=range(2, w.ndim))
    shares: FloatArray = np.square(modes).sum(axis=(0, 1)) / np.square(w).sum()
    return shares


def _eigenvalues(shape: tuple[int, ...]) -> FloatArray:
    paths = (2 - 2 * np.cos(np.pi * np.arange(side) / side) for side in shape)
    total: FloatArray = np.sum(np.meshgrid(*paths, indexing="ij"), axis=0)
    return total


def _levels(P: FloatArray, eigenvalues: FloatArray) -> Levels:
    order = np.argsort(eigenvalues, axis=None, kind="stable")
    values = eigenvalues.ravel()[order]
    # Equal ones differ by rounding; others, on grids of any practical side, by far more.
    starts = np.flatnonzero(np.diff(values, prepend=-1.0) > 1e-9)
    return Levels(values[starts], np.add.reduceat(P.ravel()[order], starts), np.diff(starts, append=values.size))
