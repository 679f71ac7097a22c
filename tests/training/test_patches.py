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


@pytest.mark.parametrize(("dim", "size", "filter_size", "stride"), [shape for shape in SHAPES if shape[3] == 1])
def test_mirrored_rows_with_filters_turned_round_are_the_adjoint(
    dim: int, size: int, filter_size: int, stride: int
) -> None:
    windows = Windows(dim, size, filter_size, stride, CPU)
    gradient = torch.randn(2, 3, *(size,) * dim, 4, dtype=torch.float64)
    filters = torch.randn(2, filter_size**dim, 5, 4, dtype=torch.float64)
    slow = windows.adjoint(gradient.flatten(1, -2) @ filters.flatten(1, 2).transpose(1, 2))
    fast = windows.mirrored_rows(gradient) @ filters.flip(1).transpose(2, 3).flatten(1, 2)
    assert torch.allclose(fast.view_as(slow), slow, rtol=1e-12, atol=1e-12)


def test_rows_written_into_given_memory_are_the_same() -> None:
    windows = Windows(2, 5, 3, 1, CPU)
    first, second = (torch.randn(2, 3, 5, 5, 2) for _ in range(2))
    memory = windows.rows(first)
    found = windows.rows(second, out=memory)
    assert found.data_ptr() == memory.data_ptr()
    assert torch.equal(found, windows.rows(second))
    # A batch of another size takes memory of its own.
    assert torch.equal(windows.rows(second[:, :1], out=memory), windows.rows(second[:, :1]))
