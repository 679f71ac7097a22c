"""Wrapper: a net behind a fixed scale of its input."""

from __future__ import annotations

from torch import Tensor, nn

from scaledetect._base.errors import bad_value

__all__ = ["Rescaled"]


class Rescaled(nn.Module):
    """``net(factor * x)``: a net trained on images of one amplitude, for images of another.

    Parameters
    ----------
    factor : float
        Positive.
    net : torch.nn.Module
    """

    def __init__(self, factor: float, net: nn.Module) -> None:
        super().__init__()
        if not factor > 0:
            raise bad_value("factor", factor, "must be positive")
        self.factor, self.net = float(factor), net

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.net(self.factor * x)
        return output

    def extra_repr(self) -> str:
        """The scale."""
        return f"factor={self.factor!r}"
