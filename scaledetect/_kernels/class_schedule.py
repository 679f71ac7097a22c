"""Labels of a sample whose classes come in their natural proportion."""

from __future__ import annotations

from scaledetect._kernels.jit import kernel

__all__ = ["spread_labels"]


@kernel
def spread_labels(residue, near, total, labels):  # type: ignore[no-untyped-def]
    """+1 where the running product j * near passes a multiple of total, else -1; residue = start * near mod total."""
    for j in range(labels.shape[0]):
        if residue >= total - near:
            residue -= total - near
            labels[j] = 1
        else:
            residue += near
            labels[j] = -1
