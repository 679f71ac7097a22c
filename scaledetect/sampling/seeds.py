"""Seeds of a run, derived from one root by the name of what each is for, never by adding integers."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import check_seed
from scaledetect.sampling.keys import seed_key

__all__ = ["Factor", "attempt_seed", "epoch_order", "epoch_seed", "factor_seed"]

Factor = Literal["data", "init", "order", "fit", "measure"]
"""Rows; first weights; order of batches; whatever else a leaderboard entry draws; the draws it is measured with."""


def factor_seed(root: int, factor: Factor) -> int:
    """Seed, from 0 to 2^64 - 1, of one factor of a run.

    Examples
    --------
    >>> factor_seed(0, "data") != factor_seed(0, "init")
    True
    """
    return _derived(check_seed(root), f"training/{factor}")


def attempt_seed(root: int, attempt: int) -> int:
    """Seed of the first weights of a net that is trained again: attempt 0 is the first."""
    first = factor_seed(root, "init")
    return first if attempt == 0 else _derived(first, f"attempt/{attempt}")


def epoch_seed(root: int, epoch: int) -> int:
    """Seed of what is drawn within one epoch: resuming needs no state of a generator."""
    return _derived(factor_seed(root, "order"), f"epoch/{epoch}")


def epoch_order(root: int, epoch: int, n: int) -> NDArray[np.int64]:
    """The order in which an epoch takes the n training rows, shape (n,)."""
    order: NDArray[np.int64] = np.random.Generator(np.random.Philox(key=epoch_seed(root, epoch))).permutation(n)
    return order


def _derived(seed: int, name: str) -> int:
    return int.from_bytes(seed_key(seed, name)[:8], "little")
