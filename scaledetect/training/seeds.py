"""The order of the batches, epoch by epoch, from the root seed of a member."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaledetect.seeds import factor_seed
from scaledetect.stream import seed_key

__all__ = ["epoch_order", "epoch_seed"]


def epoch_seed(root: int, epoch: int) -> int:
    """Seed of what is drawn within one epoch: resuming needs no state of a generator."""
    return int.from_bytes(seed_key(factor_seed(root, "order"), f"epoch/{epoch}")[:8], "little")


def epoch_order(root: int, epoch: int, n: int) -> NDArray[np.int64]:
    """The order in which an epoch takes the n training rows, shape (n,)."""
    order: NDArray[np.int64] = np.random.Generator(np.random.Philox(key=epoch_seed(root, epoch))).permutation(n)
    return order
