"""The estimator on images, from tensors and loaders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import scaledetect as sd
from scaledetect.perturbations.diffeo import diffeo
from scaledetect.results.jackknife import deviations
from scaledetect.sensitivity import image_sensitivities

NET = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(300, 4))
IMAGES = torch.rand(110, 2, 12, 12, generator=torch.Generator().manual_seed(0))
SMALL: dict[str, Any] = {"delta": 1.0, "cutoff": 3}


def measured(images: Any, **options: Any) -> sd.Sensitivities:
    return image_sensitivities(NET, images, **{**SMALL, **options})


def loader(**options: Any) -> Iterable[Any]:
    return DataLoader(TensorDataset(IMAGES, torch.zeros(110)), **options)


@pytest.mark.parametrize(
    "source",
    [
        IMAGES.numpy(),
        IMAGES.double(),
        [IMAGES[:1], IMAGES[1:60], IMAGES[60:]],
        loader(batch_size=7),
        loader(batch_size=1),
        [(IMAGES, None)],
    ],
    ids=["ndarray", "float64", "list", "loader", "loader of one", "pairs"],
)
@pytest.mark.parametrize("batch_size", [None, 3, 64])
def test_the_source_changes_nothing(source: Any, batch_size: int | None) -> None:
    one, other = measured(IMAGES), measured(source, batch_size=batch_size)
    assert one.layers == other.layers == ("0", "1", "2", "3", "output")
    assert other.n == 110
    assert one.sigma == pytest.approx(other.sigma, rel=1e-6)
    for name in ("D", "G", "R", "Delta", "D_stderr", "G_stderr"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-4)


def test_matched_sigma_is_the_rms_of_the_deformation() -> None:
    deformed = diffeo(IMAGES.double(), delta=1.0, cutoff=3, seed=4)
    rms = (deformed - IMAGES).square().mean().sqrt().item()
    assert measured(IMAGES, seed=4, dtype=torch.float64).sigma == pytest.approx(rms, rel=1e-12)


def test_sample_matching_gives_every_image_the_norm_of_its_deformation() -> None:
    """So on the identity the two numerators agree to rounding, D = G, and R = 1."""
    same = image_sensitivities(nn.Identity(), IMAGES, **SMALL, noise=sd.Noise(match="sample"))
    assert same.R[0] == pytest.approx(1, rel=1e-5)
    assert np.isnan(same.sigma)
    rectified = image_sensitivities(nn.Identity(), IMAGES, **SMALL, noise=sd.Noise("rectified_noise", match="sample"))
    assert rectified.R[0] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("mode", ["signed", "rectified_noise", "rectified_input"])
def test_noise_on_the_identity(mode: Any) -> None:
    """E|eta|^2 in closed form, with the images far above zero where the input is rectified."""
    images = 10 + torch.randn(200, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    one = image_sensitivities(nn.Identity(), images, **SMALL, noise=sd.Noise(mode, sigma=0.5))
    expected = 144 * 0.25 * (0.5 if mode == "rectified_noise" else 1)
    assert one.G[0] * one.Delta[0] == pytest.approx(expected, rel=5 * (2 / (144 * 200)) ** 0.5 * 2)


def test_a_one_shot_iterator() -> None:
    with pytest.raises(ValueError, match=r"reads the images twice; give a tensor.*Noise\(sigma"):
        measured(iter([IMAGES]))
    for noise in (sd.Noise(sigma=0.3), sd.Noise(match="sample")):
        one, other = measured(iter([IMAGES[:50], IMAGES[50:]]), noise=noise), measured(IMAGES, noise=noise)
        np.testing.assert_allclose(one.D, other.D, rtol=1e-5)


def test_ensemble_matching_makes_one_extra_pass_over_the_inputs_only() -> None:
    class Counting(list[Tensor]):
        passes = 0

        def __iter__(self) -> Any:
            self.passes += 1
            return super().__iter__()

    forwards: list[int] = []
    net = nn.Identity()
    net.register_forward_hook(lambda module, args, output: forwards.append(len(output)))
    source = Counting([IMAGES])
    image_sensitivities(net, source, **SMALL)
    assert source.passes == 2
    assert sum(forwards) == 3 * 110 + 2


@pytest.mark.parametrize(
    ("images", "error", "text"),
    [
        ([], ValueError, "holds no image"),
        (IMAGES[:0], ValueError, "holds no image"),
        (IMAGES[:49], ValueError, "49 images.*50 blocks"),
        (IMAGES[:, 0], ValueError, r"\(n, C, L, L\); give images\[:, None\]"),
        (IMAGES[..., :10], ValueError, "square"),
        (IMAGES.long(), TypeError, r"x.float\(\) / 255"),
        (IMAGES.numpy().astype(np.uint8), TypeError, "astype"),
        ([IMAGES, IMAGES[..., :10, :10]], ValueError, "follow images of shape"),
        (IMAGES / 0, ValueError, "finite"),
        ("cifar10", TypeError, "no source of images"),
        (3, TypeError, "no source of images"),
        (["a", "b"], TypeError, "batches must be tensors"),
    ],
)
def test_bad_images_are_named(images: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        measured(images)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"cutoff": 1}, "cutoff"),
        ({"cutoff": 9}, "cutoff"),
        ({"delta": 0.1}, "delta"),
        ({"delta": 4.0}, "delta"),
        ({"blocks": 20}, "blocks"),
        ({"seed": -1}, "seed"),
        ({"layers": ["conv"]}, "layer"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], text: str) -> None:
    with pytest.raises((ValueError, KeyError), match=text):
        measured(IMAGES, **options)


def test_a_form_is_suggested() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 2, 12, 12\).*x.flatten\(1\)"):
        image_sensitivities(nn.Linear(288, 2), IMAGES, **SMALL)
    assert image_sensitivities(nn.Linear(288, 2), IMAGES, **SMALL, prepare=lambda x: x.flatten(1)).layers == ("output",)


def test_left_as_found() -> None:
    net = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout()).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    random = torch.get_rng_state()
    image_sensitivities(net, loader(batch_size=20, shuffle=True), **SMALL)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(module.training for module in net.modules())
    assert torch.equal(random, torch.get_rng_state())


def test_a_bad_layer_spoils_no_other() -> None:
    class Bad(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.good, self.bad = nn.Identity(), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            self.bad(x / 0)
            y: Tensor = self.good(x)
            return y

    with pytest.warns(RuntimeWarning, match="not finite.*: bad$") as caught:
        found = image_sensitivities(Bad(), IMAGES, **SMALL, layers=["bad", "good"])
    assert np.isnan(found.D).tolist() == [True, False]
    assert caught[0].filename == __file__


def test_blocks_of_unequal_size() -> None:
    """For a mean the jackknife of Busing et al. has the closed form sum_b (block mean - mean)^2 / (n / n_b - 1) / B."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 6, 60)
    values = [rng.normal(size=size) for size in sizes]
    total, n = sum(v.sum() for v in values), sizes.sum()
    curve = np.array([total / n] + [(total - v.sum()) / (n - len(v)) for v in values])
    expected = sum((v.mean() - total / n) ** 2 / (n / len(v) - 1) for v in values) / 60
    assert np.square(deviations(curve, sizes)).sum() == pytest.approx(expected, rel=1e-10)
