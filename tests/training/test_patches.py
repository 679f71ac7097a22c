"""Windows as rows: the very sites the convolution reads, and the exact adjoint."""

from __future__ import annotations

import itertools

import pytest
import torch

from scaledetect.training.patches import Windows

SHAPES = [
    (dim, size, filter_size, stride)
    for dim, sizes in ((1, (1, 2, 5, 8)), (2, (2, 5)), (3, (3,)))
    for size, filter_size, stride in itertools.product(sizes, (1, 2, 3, 4), (1, 2, 3))
    if stride <= size
]
CPU = torch.device("cpu")


@pytest.mark.parametrize(("dim", "size", "filter_size", "stride"), SHAPES)
def test_rows_are_the_windows_site_by_site(dim: int, size: int, filter_size: int, stride: int) -> None:
    maps = torch.randn(2, 3, *(size,) * dim, 2, dtype=torch.float64)
    out = -(-size // stride)
    rows = Windows(dim, size, filter_size, stride, CPU).rows(maps).view(2, 3, *(out,) * dim, -1)
    for window in itertools.product(range(out), repeat=dim):
        sites = [
            tuple((i * stride - (filter_size - 1) // 2 + o) % size for i, o in zip(window, offset, strict=True))
            for offset in itertools.product(range(filter_size), repeat=dim)
        ]
        expected = torch.cat([maps.movedim((0, 1), (-3, -2))[site] for site in sites], dim=-1)
        assert torch.equal(rows.movedim((0, 1), (-3, -2))[window], expected)


@pytest.mark.parametrize(("dim", "size", "filter_size", "stride"), SHAPES)
def test_adjoint_is_the_transpose(dim: int, size: int, filter_size: int, stride: int) -> None:
    windows = Windows(dim, size, filter_size, stride, CPU)
    maps = torch.randn(2, 3, *(size,) * dim, 2, dtype=torch.float64)
    rows = torch.randn_like(windows.rows(maps))
    back = windows.adjoint(rows)
    assert back.shape == maps.shape
    there = (windows.rows(maps) * rows).sum((1, 2))
    here = (maps * back).flatten(1).sum(1)
    assert torch.allclose(there, here, rtol=1e-12, atol=1e-12)
