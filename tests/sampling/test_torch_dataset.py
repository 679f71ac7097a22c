"""`ScaleDetectionDataset`: the same items however they are loaded."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from scaledetect import ScaleDetectionDataset, Task, sample_images

TASK = Task(dim=2, size=12, xi=4, gap=1, periodic=False)
NOISY = Task(dim=1, size=64, xi=16, background_noise=0.5, balance="natural")


def loaded(data: ScaleDetectionDataset, **options: Any) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = zip(*DataLoader(data, batch_size=7, **options), strict=True)
    return torch.cat(images), torch.cat(targets)


@pytest.mark.parametrize("task", [TASK, NOISY], ids=["clean", "noisy"])
@pytest.mark.parametrize("split", [None, "train", "validation", "test"])
def test_items_are_the_samples(task: Task, split: Any) -> None:
    data = ScaleDetectionDataset(task, 40, seed=3, split=split)
    images, y = sample_images(task, 40, seed=3, split=split)
    found, targets = loaded(data)
    assert len(data) == 40
    assert found.dtype == targets.dtype == torch.float32
    assert (found.numpy() == images).all()
    assert (targets.numpy() == y).all()


def test_targets() -> None:
    _, y = sample_images(TASK, 10)
    sign = torch.stack([target for _, target in ScaleDetectionDataset(TASK, 10)])  # type: ignore[attr-defined]
    index = torch.stack([target for _, target in ScaleDetectionDataset(TASK, 10, target="index")])  # type: ignore[attr-defined]
    assert sign.dtype == torch.float32
    assert sign.tolist() == y.tolist()
    assert index.dtype == torch.int64
    assert index.tolist() == ((y + 1) // 2).tolist()


@pytest.mark.parametrize("task", [TASK, NOISY], ids=["clean", "noisy"])
def test_batches_are_items_in_any_order(task: Task) -> None:
    data = ScaleDetectionDataset(task, 50)
    images, _ = sample_images(task, 50)
    order = [*np.random.default_rng(0).permutation(50).tolist(), 0, -1, 3, 3]
    batch = data.__getitems__(order)
    assert all((image.numpy() == images[i]).all() for i, (image, _) in zip(order, batch, strict=True))
    assert all((data[i][0] == image).all() for i, (image, _) in zip(order, batch, strict=True))
    assert data.__getitems__([]) == []


def test_transform() -> None:
    data = ScaleDetectionDataset(TASK, 5, transform=lambda image: image.sum())
    plain = ScaleDetectionDataset(TASK, 5)
    assert [float(data[i][0]) for i in range(5)] == [float(plain[i][0].sum()) for i in range(5)]


def test_shuffling_loses_nothing() -> None:
    data = ScaleDetectionDataset(TASK, 60)
    shuffled, _ = loaded(data, shuffle=True, generator=torch.Generator().manual_seed(0))
    ordered, _ = loaded(data)
    assert sorted(x.numpy().tobytes() for x in shuffled) == sorted(x.numpy().tobytes() for x in ordered)


@pytest.mark.parametrize(("method", "task"), [("fork", TASK), ("fork", NOISY), ("spawn", NOISY)])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_workers_give_the_same_data(method: str, task: Task) -> None:
    """Two of them; one where each has to import everything."""
    data = ScaleDetectionDataset(task, 60, seed=1, split="train")
    images, targets = loaded(data)
    found, labels = loaded(data, num_workers=1 if method == "spawn" else 2, multiprocessing_context=method)
    assert (found == images).all()
    assert (labels == targets).all()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_workers_forked_from_a_process_that_used_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "2")
    task = Task(dim=2, size=28, xi=14, background_noise=0.1)
    sample_images(task, 40_000)
    data = ScaleDetectionDataset(task, 3000)
    whole, _ = sample_images(task, 3000)
    # Batches large enough for threads in the workers too.
    loader = DataLoader(data, batch_size=1500, num_workers=2, multiprocessing_context="fork")
    assert (torch.cat([images for images, _ in loader]).numpy() == whole).all()


def test_threads_give_the_same_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "2")
    task = Task(dim=2, size=28, xi=14, gap=2, periodic=False, background_noise=0.1)
    data = ScaleDetectionDataset(task, 4000)
    whole, _ = sample_images(task, 4000)
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda i: data.__getitems__(range(500 * i, 500 * i + 500)), range(8)))
    found = torch.stack([image for batch in batches for image, _ in batch])
    assert (found.numpy() == whole).all()


def test_pickles() -> None:
    data = pickle.loads(pickle.dumps(ScaleDetectionDataset(NOISY, 10, seed=2)))
    assert (data[3][0] == ScaleDetectionDataset(NOISY, 10, seed=2)[3][0]).all()


@pytest.mark.parametrize("index", [10, -11])
def test_index_out_of_range(index: int) -> None:
    with pytest.raises(IndexError, match=f"index={index}: this data set holds 10 samples"):
        ScaleDetectionDataset(TASK, 10)[index]


@pytest.mark.parametrize("index", [1.5, True, "1", None])
def test_index_of_the_wrong_type(index: Any) -> None:
    with pytest.raises(TypeError, match=r"index=.*must be integers"):
        ScaleDetectionDataset(TASK, 10)[index]


@pytest.mark.parametrize(
    ("n", "options", "error", "message"),
    [
        (10**6, {}, ValueError, "n=1000000: the population of this task holds"),
        (10**6, {"split": "test"}, ValueError, "n=1000000: the test split of this task holds"),
        (5, {"target": "float"}, ValueError, "target='float': choose one of 'sign', 'index'"),
        (5, {"split": "dev"}, ValueError, "split='dev': must be"),
        (5, {"seed": -1}, ValueError, "seed=-1: must be an integer"),
        (5.0, {}, TypeError, "n=5.0: must be an integer"),
    ],
)
def test_bad_input(n: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ScaleDetectionDataset(TASK, n, **options)
