"""Sums of one layer and of its rows by hand: references, events, pieces, and memory that is used again."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from scaledetect.results.sketch import random_signs
from scaledetect.sensitivity import row_sums
from scaledetect.sensitivity.batching import Group
from scaledetect.sensitivity.layer_sums import LayerSums
from scaledetect.sensitivity.row_sums import KernelSums, RowSums, Sums, TorchSums


def test_memory_for_differences_is_used_again() -> None:
    """By as many numbers or fewer of the same type; others have new memory."""
    shared = TorchSums()

    def place(n: int, width: int, dtype: torch.dtype) -> int:
        one = torch.ones(n, width, dtype=dtype)
        found = shared._difference(one, one)
        assert (found.shape, found.dtype, float(found.abs().max())) == (one.shape, dtype, 0)
        found += 1
        return found.data_ptr()

    first = place(4, 6, torch.float32)
    assert first == place(4, 6, torch.float32) == place(3, 8, torch.float32) == place(1, 23, torch.float32)
    keep = shared._memory
    assert place(5, 5, torch.float32) != first
    assert place(5, 5, torch.float64) != keep.data_ptr()


def test_signs_on_a_device_are_kept_for_what_is_as_long() -> None:
    sums = TorchSums()
    first = sums._signs_for(torch.zeros(2, 100))
    assert first.tolist() == random_signs(100).tolist()
    for width in (100, 99, 1):
        again = sums._signs_for(torch.zeros(2, width))
        assert (again.data_ptr(), len(again)) == (first.data_ptr(), width)
    assert sums._signs_for(torch.zeros(2, 101)).tolist() == random_signs(101).tolist()
    assert sums._signs_for(torch.zeros(2, 101, dtype=torch.float64)).dtype == torch.float64


def empty_sums(width: int, cells: int, m: int, versions: int = 3) -> Sums:
    """Of a layer in float32 whose reference is 0."""
    squares, sketches = (torch.zeros(shape, dtype=torch.float64) for shape in ((versions, cells), (cells, m)))
    events, totals = torch.zeros(versions, dtype=torch.int64), torch.zeros(2, width, dtype=torch.float64)
    return Sums(torch.zeros(width), 0.0, 0.0, squares, events, totals, sketches)


@pytest.mark.parametrize(
    ("width", "m", "expected"),
    [
        (100, 100, [(0, 100)]),
        (2**15, 1024, [(0, 2**15)]),
        (2**15 + 1, 1024, [(0, 2**15), (2**15, 2**15 + 1)]),
        # Pieces are whole sketches, and as many as are not longer than 2^15.
        (66_000, 1000, [(0, 32_000), (32_000, 64_000), (64_000, 66_000)]),
        (90_000, 40_000, [(0, 40_000), (40_000, 80_000), (80_000, 90_000)]),
    ],
)
def test_wide_layers_are_summed_by_pieces(
    width: int, m: int, expected: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[tuple[int, int]] = []

    def shifted_sums(
        x: Any, n: int, reference: Any, signs: Any, cell: int, size: int, start: int, stop: int, *_: Any
    ) -> None:
        assert (len(x), n, len(reference), len(signs), cell, size) == (12, 4, width, width, 3, 2)
        pieces.append((start, stop))

    def settle_rows(parts: Any, folds: Any, cell: int, size: int, *_: Any) -> None:
        assert (parts.shape, folds.shape, cell, size) == ((len(expected), 12), (len(expected), 2, m), 3, 2)

    kernels = SimpleNamespace(shifted_sums=shifted_sums, settle_rows=settle_rows)
    monkeypatch.setattr(row_sums, "backend", lambda: kernels)
    KernelSums().add(torch.ones(12, width), 4, Group(3, 2), empty_sums(width, cells=6, m=m))
    assert sorted(pieces) == expected


def test_threads_share_what_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert row_sums._least(2**23, 7) == 7
    assert row_sums._least(2**23 - 1, 7) == 8
    asked: list[tuple[int, dict[str, int]]] = []
    monkeypatch.setattr(row_sums, "for_chunks", lambda work, n, **options: asked.append((n, options)))
    for rows, least in ((128, 128), (127, 128)):
        x = torch.zeros(rows, 2**16)
        KernelSums().squared_distances(x, x)
        assert asked.pop() == (rows, {"least": least})
        KernelSums().add(x, rows, Group(0, rows), empty_sums(2**16, cells=1, m=1024))
        # Two pieces, one each time.
        assert asked.pop() == (2, {"chunk": 1, "least": 2 if rows == 128 else 3})
    assert isinstance(row_sums.row_sums_on(torch.device("cpu")), KernelSums)
    assert isinstance(row_sums.row_sums_on(torch.device("meta")), TorchSums)


def layer_of(classes: int = 2, channel_mean: bool = False, rows: type[RowSums] = KernelSums) -> LayerSums:
    return LayerSums(blocks=4, classes=classes, channel_mean=channel_mean, rows=rows())


def test_the_reference_is_the_mean_whenever_there_are_eight_times_as_many_draws() -> None:
    """Of the first batch at once; anew before the draws that follow eight times as many as the last time."""
    f = torch.randn(40, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    layer = layer_of()
    for batch, draws in enumerate([4] * 8 + [32] * 2):
        rows = f[4 * batch : 4 * batch + 4]
        layer.add(rows.repeat(3, 1), Group(4 * (batch % 2), 1))
        np.testing.assert_allclose(layer.finish().reference, f[:draws].mean(dim=0), atol=1e-15)


def test_the_reference_waits_for_every_class_and_for_finite_draws() -> None:
    f = torch.arange(390, dtype=torch.float64).reshape(130, 3) ** 2
    layer = layer_of()
    for batch, draws in enumerate([2] * 64 + [128]):
        # Two draws of one sum, once of its neighbour of the other class: after the first 16, when it would move.
        layer.add(f[2 * batch : 2 * batch + 2].repeat(3, 1), Group(int(batch == 8), 2))
        np.testing.assert_allclose(layer.finish().reference, f[:draws].mean(dim=0))
    layer = layer_of(classes=1)
    layer.add(torch.full((6, 3), torch.inf), Group(0, 1))
    layer.add(torch.ones(6, 3), Group(2, 1))
    layer.add(torch.ones(6, 3), Group(0, 1))
    assert np.isinf(layer.finish().reference).all()


def test_a_reference_moves_without_matrix_products_of_numpy() -> None:
    """The threads of its BLAS would go on waiting on the processors of the net: a fifth of the time on VGG11."""

    class WithoutMatmul(np.ndarray[Any, Any]):
        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
            assert ufunc is not np.matmul
            plain = [x.view(np.ndarray) if isinstance(x, WithoutMatmul) else x for x in inputs]
            if "out" in options:
                options["out"] = tuple(x.view(np.ndarray) for x in options["out"])
            return np.asarray(getattr(ufunc, method)(*plain, **options)).view(WithoutMatmul)

    layer = layer_of()
    layer.add(torch.randn(24, 3, dtype=torch.float64), Group(0, 1))
    sums = layer.finish()
    names = ("totals", "sketches", "reference")
    watched = replace(sums, **{name: getattr(sums, name).view(WithoutMatmul) for name in names})
    with pytest.raises(AssertionError):
        watched.totals @ watched.reference
    moved, expected = (one.shifted(sums.reference + 1) for one in (watched, sums))
    np.testing.assert_array_equal(np.asarray(moved.squares), expected.squares)


def test_draws_moved_by_rounding_are_no_events() -> None:
    """Sixteen spacings of the norms of f less its reference and of the reference."""
    eps = float(torch.finfo(torch.float64).eps)
    f = torch.tensor([[3.0, 4.0], [3.0, 4.0]], dtype=torch.float64)
    for size, events in ((0.95, 0), (1, 0), (1.05, 2)):
        layer = layer_of()
        moved = f + torch.tensor([16 * 5 * eps * size, 0.0])
        layer.add(torch.cat([f, moved, f]), Group(0, 1))
        sums = layer.finish()
        assert (sums.deformed_events, sums.noisy_events, sums.eps) == (events, 0, eps)


@pytest.mark.parametrize("rows", [KernelSums, TorchSums])
def test_clean_activations_are_kept_in_the_same_memory_for_their_perturbed_versions(rows: type[RowSums]) -> None:
    layer, f = layer_of(rows=rows), torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    places = set()
    for some in (f, f[:1], f[:3], f):
        kept = some.clone()
        layer.clean(kept, Group(0, 1))
        kept.zero_()
        places.add(layer._f.data_ptr())
        assert layer._f.tolist() == some.tolist()
    assert len(places) == 1
    one = layer_of(rows=rows)
    one.clean(f[:1], Group(0, 1))
    assert one._f.tolist() == f[:1].tolist()
    one.deformed(f[:1] + 1, Group(0, 1), 0.25)
    assert one.finish().deformed[0, 0] == pytest.approx(0.25 * 3)
    one.noisy(torch.cat([f[:1] + 1, f[:1] + 2]), [Group(0, 1), Group(3, 1)])
    sums = one.finish()
    assert (sums.noisy[0, 0], sums.noisy[1, 1]) == pytest.approx((3, 12))
    assert (sums.counts.sum(), sums.deformed_events, sums.noisy_events) == (1, 1, 2)


def test_activations_of_any_shape_and_type_become_rows() -> None:
    plain, averaged = layer_of(), layer_of(channel_mean=True)
    x = torch.arange(24, dtype=torch.float64).reshape(2, 3, 2, 2)
    assert plain._flat(x).tolist() == x.reshape(2, 12).tolist()
    assert averaged._flat(x).tolist() == x.mean(dim=1).reshape(2, 4).tolist()
    for layer in (plain, averaged):
        assert layer._flat(torch.tensor([1.0, 2.0])).tolist() == [[1.0], [2.0]]
        assert layer._flat(x.half()).dtype == torch.float32
        assert layer._flat(x).dtype == torch.float64
        assert layer._flat(x.transpose(2, 3)).is_contiguous()


def test_sums_are_equal_to_themselves_only_and_stay_as_they_are() -> None:
    layer = layer_of()
    layer.add(torch.randn(12, 3), Group(0, 1))
    sums = layer.finish()
    assert sums != copy.copy(sums)
    assert len({sums, sums}) == 1
    with pytest.raises(FrozenInstanceError):
        sums.eps = 1.0  # type: ignore[misc]
