"""Frozen result: differences between nets measured on the same draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scaledetect._base.array_types import FloatArray
from scaledetect._base.tables import html_table, with_error
from scaledetect.results.sensitivities import Sensitivities

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NetComparison"]


@dataclass(frozen=True, eq=False)
class NetComparison:
    """Differences between nets, layer by layer: each of M nets less the first, K layers.

    Attributes
    ----------
    nets : tuple of str, length M
        Names of the nets; the first is the one the others are compared with.
    results : tuple of Sensitivities, length M
        What each was measured to be.
    layers : tuple of str, length K
        Names of the layers in the first net.
    D, G, R : ndarray of float64, shape (M - 1, K)
        Differences; NaN where either is.
    D_stderr, G_stderr, R_stderr : ndarray of float64, shape (M - 1, K)
        Their standard errors: those of a jackknife of the difference, which gains from the draws in common.
    n_blocks : int
        Difference / stderr follows Student's t with n_blocks - 1 degrees of freedom where two nets are alike.
    """

    nets: tuple[str, ...]
    results: tuple[Sensitivities, ...]
    layers: tuple[str, ...]
    D: FloatArray
    G: FloatArray
    R: FloatArray
    D_stderr: FloatArray
    G_stderr: FloatArray
    R_stderr: FloatArray
    n_blocks: int

    def __repr__(self) -> str:
        others = ", ".join(self.nets[1:])
        return f"<Comparison of {others} with {self.nets[0]}, {len(self.layers)} layers>"

    def _repr_html_(self) -> str:
        """One row for each net but the first and each layer, as a notebook shows it."""
        rows = []
        for number, net in enumerate(self.nets[1:]):
            for k, layer in enumerate(self.layers):
                pairs = ((getattr(self, q)[number, k], getattr(self, q + "_stderr")[number, k]) for q in "DGR")
                rows.append((net, layer, *(with_error(*pair) for pair in pairs)))
        title = f"Differences from {self.nets[0]}, on the same draws"
        return html_table(title, ("net", "layer", "D", "G", "R"), rows, left=2)

    def to_frame(self) -> pd.DataFrame:
        """One row for each net but the first and each layer: `net`, `layer`, then D, G, R and their standard errors."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for number, net in enumerate(self.nets[1:]):
            for k, layer in enumerate(self.layers):
                values = {name: float(getattr(self, name)[number, k]) for name in _ARRAYS}
                rows.append({"net": net, "layer": layer, **values})
        return pd.DataFrame(rows, columns=["net", "layer", *_ARRAYS])


_ARRAYS = ("D", "D_stderr", "G", "G_stderr", "R", "R_stderr")
