"""Compiled kernels and their NumPy twins, under the same names: `backend()` is the set in use.

Kernels are serial, check nothing and write into the arrays they are given; `driver` spreads them over threads.
"""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

__all__ = ["KERNELS", "backend"]

KERNELS = (
    "add_pixels", "draw_indices", "fill_normals", "permute_indices", "permute_range", "raw_blocks", "settle_rows",
    "shifted_sums", "spread_labels", "squared_distances", "unrank_block", "unrank_open", "unrank_periodic",
    "warp_images",
)  # fmt: skip


@lru_cache(maxsize=1)
def backend() -> SimpleNamespace:
    """Compiled kernels, or their NumPy twins when numba's JIT is off (NUMBA_DISABLE_JIT=1)."""
    import numba

    if numba.config.DISABLE_JIT:
        from scaledetect._kernels import twin as home

        return SimpleNamespace(**{name: getattr(home, name) for name in KERNELS})
    from scaledetect._kernels import feistel, normals, philox, render, row_sums, unrank

    homes = (feistel, normals, philox, render, row_sums, unrank)
    found = {name: getattr(home, name) for home in homes for name in home.__all__}
    return SimpleNamespace(**{name: found[name] for name in KERNELS})
