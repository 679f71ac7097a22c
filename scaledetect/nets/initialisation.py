"""First weights drawn from a seed, and a fixed scale of the input: what many nets are built with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from scaledetect._base.arguments import check_seed
from scaledetect._base.errors import InvalidValueError, bad_value

__all__ = [
    "Rescaled",
    "seeded",
]

_NO_MEMORY = ("allocate memory", "Storage size calculation overflowed", "multiplication overflow", "invalid shape")
"""In torch's words."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw weights from `seed`, on the CPU whatever the default device; torch's global random state is put back.

    Weights that no memory holds are a refusal.
    """
    number = check_seed(seed)
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        # torch.manual_seed would also reach accelerators, which are not put back.
        torch.default_generator.manual_seed(number)
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not any(words in str(error) for words in _NO_MEMORY):
                raise
            text = "the weights of this net take more memory than there is; lower its width, filter_size or depth"
            raise InvalidValueError(text) from error


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
