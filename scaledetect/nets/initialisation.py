"""Initial weights drawn from a seed, without touching the global random state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from scaledetect._base.arguments import check_seed

__all__ = ["seeded"]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw weights from `seed`, on the CPU whatever the default device; torch's global random state is put back."""
    number = check_seed(seed)
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        # torch.manual_seed would also reach accelerators, which are not put back.
        torch.default_generator.manual_seed(number)
        yield
