"""Windows as rows: the very sites the convolution reads, and the exact adjoint."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch

from scaledetect.nets import PoolingNet
from scaledetect.training import stacked
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


@pytest.mark.parametrize("gather", [Windows.rows, Windows.mirrored_rows])
def test_rows_written_into_given_memory_are_the_same(gather: Callable[..., torch.Tensor]) -> None:
    windows = Windows(2, 5, 3, 1, CPU)
    maps = torch.randn(2, 3, 5, 5, 2)
    memory = torch.zeros(windows.numbers(maps) + 7)
    # Of fewer maps after more, and of more after fewer.
    for some in (maps, maps[:, :1], maps[1:], maps):
        found = gather(windows, some, out=memory)
        assert found.data_ptr() == memory.data_ptr()
        assert found.numel() == windows.numbers(some)
        assert torch.equal(found, gather(Windows(2, 5, 3, 1, CPU), some))
    assert memory[-7:].tolist() == [0] * 7


@pytest.mark.parametrize("dim", [1, 2])
def test_nets_a_few_at_a_time_learn_what_all_at_once_learn(dim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    nets = [PoolingNet(dim, 3, 1, 2, 4, seed=seed) for seed in range(5)]
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(5, 6, 1, *(8,) * dim, dtype=torch.float64, generator=generator)
    labels = torch.randn(5, 6, dtype=torch.float64, generator=generator).sign()
    found = []
    for room in (2**40, 0):
        monkeypatch.setattr(stacked, "ROOM", room)
        monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
        together = stacked.StackedPoolingNets(nets, 8, dtype=torch.float64, device=CPU)
        for _ in range(3):
            together.step(images, labels, 0.1, decay=0.01)
        found.append([*together.parameters(), together.outputs(images)])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-12, atol=1e-14)
