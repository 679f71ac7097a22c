"""The transform for data loaders: deformations whose strength and cutoff are drawn anew for each image."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from helpers.pictures import pictures
from torch.utils.data import DataLoader, Dataset

from scaledetect.perturbations.diffeo import Diffeo, diffeo, diffeo_temperature_range


def test_the_transform_draws_from_torch() -> None:
    images = torch.from_numpy(pictures(3, 32, 32))
    transform = Diffeo()
    torch.manual_seed(0)
    first, second = transform(images), transform(images)
    torch.manual_seed(0)
    assert torch.equal(transform(images), first)
    assert not torch.equal(first, second)
    assert eval(repr(Diffeo(cutoff=(2, 5), delta=1.0))) == Diffeo(cutoff=(2, 5), delta=1.0)


@pytest.mark.parametrize(
    ("transform", "cutoffs", "strength"),
    [
        (Diffeo(), range(2, 21), None),
        (Diffeo(cutoff=4), range(4, 5), None),
        (Diffeo(cutoff=(2, 6), delta=(0.7, 9.0)), range(2, 7), (0.7, 9.0)),
        (Diffeo(cutoff=3, delta=1.5), range(3, 4), (1.5, 1.5)),
    ],
)
def test_the_transform_stays_in_its_ranges(
    transform: Diffeo, cutoffs: range, strength: tuple[float, float] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[int, float, int]] = []

    def note(images: Any, *, temperature: float, cutoff: int, seed: int) -> Any:
        drawn.append((cutoff, temperature, seed))
        return diffeo(images, temperature=temperature, cutoff=cutoff, seed=seed)

    monkeypatch.setattr("scaledetect.perturbations.diffeo.transform.diffeo", note)
    torch.manual_seed(0)
    for _ in range(300):
        transform(torch.zeros(1, 32, 32))
    assert {cutoff for cutoff, _, _ in drawn} == set(cutoffs)
    assert len({seed for _, _, seed in drawn}) == 300
    for cutoff, T, _ in drawn:
        low, high = diffeo_temperature_range(32, cutoff)
        assert low * (1 - 1e-9) <= T <= high * (1 + 1e-9)
        if strength:
            delta = 32 * math.sqrt(math.pi * T * math.log(cutoff)) / 2
            assert strength[0] - 1e-9 <= delta <= strength[1] + 1e-9
    temperatures = {T for _, T, _ in drawn}
    assert len(temperatures) == (1 if strength == (1.5, 1.5) else 300)


class Blank(Dataset[torch.Tensor]):
    """One image over and over, deformed."""

    def __init__(self) -> None:
        self.transform = Diffeo(cutoff=3, delta=1.0)
        self.image = torch.from_numpy(pictures(1, 16, 16))

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.transform(self.image)


def test_workers_draw_fields_of_their_own() -> None:
    batches = list(DataLoader(Blank(), batch_size=2, num_workers=2, multiprocessing_context="fork"))
    assert len(torch.unique(torch.cat(batches).flatten(1), dim=0)) == 8


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"cutoff": (5, 2)}, ValueError, r"cutoff=\(5, 2\).*smaller one first"),
        ({"cutoff": (1, 2)}, ValueError, "cutoff=1"),
        ({"delta": (0.5, 1.0, 2.0)}, ValueError, "two numbers"),
        ({"delta": -1.0}, ValueError, "delta=-1.0.*positive"),
        ({"temperature": 1.0, "delta": 1.0}, ValueError, "give one"),
    ],
)
def test_bad_transforms(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Diffeo(**arguments)


def test_a_transform_that_images_are_too_small_for() -> None:
    with pytest.raises(ValueError, match=r"delta=5.0.*must reach into 0.5 .. 0.84\d+ for L=8, cutoff=3"):
        Diffeo(cutoff=3, delta=5.0)(torch.zeros(1, 8, 8))
    with pytest.raises(ValueError, match=r"cutoff=9.*5 for L=8"):
        Diffeo(cutoff=(2, 9))(torch.zeros(1, 8, 8))
    with pytest.raises(TypeError, match=r"images='str'.*convert"):
        Diffeo()("picture")  # type: ignore[type-var]
