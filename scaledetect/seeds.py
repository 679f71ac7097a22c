"""One root seed a run: every other derives from it by the name of what it is for, never by adding integers."""

from __future__ import annotations

from typing import Literal

from scaledetect.stream import check_seed, seed_key

__all__ = ["Factor", "factor_seed"]

Factor = Literal["data", "init", "order", "fit", "measure"]
"""Rows; first weights; order of batches; whatever else a leaderboard entry draws; the draws it is measured with."""


def factor_seed(root: int, factor: Factor) -> int:
    """Seed, from 0 to 2^64 - 1, of one factor of a run.

    Examples
    --------
    >>> factor_seed(0, "data") != factor_seed(0, "init")
    True
    """
    return int.from_bytes(seed_key(check_seed(root), f"training/{factor}")[:8], "little")
