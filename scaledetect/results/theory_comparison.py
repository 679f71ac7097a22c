"""Frozen result: a measurement and the exact theory of one net on one task, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.tables import html_table, with_error
from scaledetect.perturbations.noise import Noise
from scaledetect.results.sensitivities import Sensitivities
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from scaledetect.task.cards import ReferenceNet

__all__ = ["TheoryComparison"]

QUANTITIES = ("D", "G", "R")


@dataclass(frozen=True, eq=False)
class TheoryComparison:
    """One net on one task: what was measured, and the exact values.

    Attributes
    ----------
    card : str
        Name of the card, or "" for a task without one.
    task : Task
    net : ReferenceNet
    noise : Noise
    measured, theory : Sensitivities
        With the same layers.
    seconds : float
        Wall time of both: of nets that were compared together, an equal part.
    p_values : mapping of str to float
        For "D", "G" and "R" the chance of a deviation at least as large over all layers at once, by Hotelling's T^2
        (`scaledetect.statistics.joint_test`); NaN where no layer can be tested.
    """

    card: str
    task: Task
    net: ReferenceNet
    noise: Noise
    measured: Sensitivities
    theory: Sensitivities
    seconds: float
    p_values: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        where = self.card or f"dim={self.task.dim}, size={self.task.size}, xi={self.task.xi:g}"
        layers = f"{len(self.measured)} layers, worst |z|={self.worst:.2f}"
        return f"<TheoryComparison of {self.net.label} on {where}, {layers}>"

    def _repr_html_(self) -> str:
        """One row a layer: measured, exact and z, as a notebook shows it."""
        headings = ("k", *(text for q in QUANTITIES for text in (q, "exact", "z")))
        z, rows = self.z, []
        for k in range(len(self.measured)):
            cells = [str(k + 1)]
            for q in QUANTITIES:
                cells.append(with_error(getattr(self.measured, q)[k], getattr(self.measured, q + "_stderr")[k]))
                cells += [f"{getattr(self.theory, q)[k]:.5g}", f"{z[q][k]:+.1f}"]
            rows.append(cells)
        joint = ", ".join(f"{q} {p:.2g}" for q, p in self.p_values.items())
        note = f"Joint test over layers (Hotelling's T^2), p: {joint}" if joint else ""
        return html_table(f"{self.net.label}: measured and exact", headings, rows, note=note)

    @property
    def z(self) -> dict[str, NDArray[np.float64]]:
        """(measured - exact) / standard error of D, G, R and Delta, each of shape (K,)."""
        return self.measured.z(self.theory)

    @property
    def worst(self) -> float:
        """Largest |z| of D, G and R over all layers; NaN, where a layer is constant, is left out."""
        scores = np.abs(np.concatenate([self.z[name] for name in QUANTITIES]))
        return float(np.nanmax(scores, initial=0.0))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON once `scaledetect._base.files.plain` has seen it."""
        return {
            "card": self.card,
            "task": asdict(self.task),
            "net": self.net.model_dump(),
            "noise": asdict(self.noise),
            "measured": self.measured.to_dict(),
            "theory": self.theory.to_dict(),
            "z": self.z,
            "p_values": dict(self.p_values),
            "seconds": self.seconds,
        }
