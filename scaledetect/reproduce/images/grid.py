"""Nets, sizes and seeds of the figures on images, in the order in which they are trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scaledetect.reproduce.images.job import ImageDataJob

if TYPE_CHECKING:
    from scaledetect.reproduce.study import Size

__all__ = ["LABELS", "image_jobs", "layer_jobs"]

LABELS = {
    "lenet": "LeNet",
    "alexnet": "AlexNet",
    "vgg11": "VGG11",
    "vgg11_bn": "VGG11, batch norm",
    "vgg16_bn": "VGG16, batch norm",
    "resnet18": "ResNet18",
    "efficientnet_b0": "EfficientNet-B0",
    "fc2": "fully connected, 2 layers",
    "fc4": "fully connected, 4 layers",
    "fc6": "fully connected, 6 layers",
}
"""Kinds of nets at laptop and small size."""

LAYER_KINDS = ("lenet", "alexnet", "vgg11", "vgg11_bn", "resnet18")
"""Those whose layers and filters are drawn, without noise on the training images."""

PAPER_KINDS = (
    *LABELS, "vgg13", "vgg16", "vgg19", "vgg13_bn", "vgg19_bn", "resnet34", "resnet50",
)  # fmt: skip


class _Recipe(NamedTuple):
    lr: float
    laptop: int
    small: int
    options: dict[str, Any]


_QUARTER: dict[str, Any] = {"width": 0.25}
_HE: dict[str, Any] = {"width": 0.25, "initialisation": "he"}
# Without batch norm torch's first weights keep a VGG on a plateau: with He's it learns. LeNet is narrow as it is. At
# the published step, 0.1, VGG11 with batch norm is near chance after five short epochs; at 0.02 it learns.
RECIPES = {
    "lenet": _Recipe(0.02, 20, 12, {}),
    "alexnet": _Recipe(0.02, 20, 12, _HE),
    "vgg11": _Recipe(0.02, 16, 12, _HE),
    "vgg11_bn": _Recipe(0.02, 12, 8, _QUARTER),
    "vgg16_bn": _Recipe(0.02, 10, 8, _QUARTER),
    "resnet18": _Recipe(0.02, 10, 8, _QUARTER),
    "efficientnet_b0": _Recipe(0.02, 12, 10, _QUARTER),
    "fc2": _Recipe(0.01, 20, 12, {}),
    "fc4": _Recipe(0.01, 20, 12, {}),
    "fc6": _Recipe(0.01, 20, 12, {}),
}
"""Step, epochs at laptop and at small size, and what the net is built with."""

TEN_SEEDS = ("lenet", "vgg11_bn", "vgg11", "resnet18")
"""The kinds with ten seeds at laptop size."""


def image_jobs(size: Size) -> tuple[ImageDataJob, ...]:
    """All trainings of a size: few seeds of all kinds first, then those that hypotheses rest on, other noise last."""
    if size == "paper":
        grid = [(net, sigma, seed) for seed in range(5) for sigma in PAPER_NOISE for net in PAPER_KINDS]
        return tuple(_paper(*one) for one in grid)
    return tuple(_short(size, *one) for one in (_small_grid() if size == "small" else _laptop_grid()))


def layer_jobs(size: Size) -> tuple[ImageDataJob, ...]:
    """Those whose layers and filters are drawn: jobs of `image_jobs` too, so that both can share a folder."""
    jobs = image_jobs(size)
    return tuple(
        job
        for job in jobs
        if job.config.noise_norm == 0 and (job.net in LAYER_KINDS or (size == "paper" and not job.net.startswith("fc")))
    )


PAPER_NOISE = (0.0, 0.01, 0.1, 1.0, 10.0, 30.0, 100.0)


def _small_grid() -> list[tuple[str, float, int]]:
    """The cheapest first: what an hour of one core reaches depends on what else the machine does."""
    cheap, leading = ("lenet", "fc4", "fc2", "fc6"), ("vgg11_bn", "alexnet", "vgg11")
    grid = [(net, 0.0, 0) for net in cheap] + [("lenet", 0.0, seed) for seed in (1, 2)]
    grid += [(net, 0.0, 0) for net in leading] + [("lenet", 10.0, 0), ("fc4", 10.0, 0)]
    grid += [(net, 0.0, seed) for seed in (1, 2) for net in ("vgg11_bn", "vgg11")]
    grid += [("resnet18", 0.0, 0)]
    grid += [(net, 10.0, 0) for net in ("vgg11_bn", "vgg11", "alexnet")]
    grid += [(net, 30.0, 0) for net in ("lenet", "vgg11_bn", "vgg11", "alexnet", "fc4")]
    return grid + [("resnet18", 0.0, seed) for seed in (1, 2)]


def _laptop_grid() -> list[tuple[str, float, int]]:
    grid = [(net, 0.0, seed) for seed in range(3) for net in LABELS]
    grid += [("vgg11_bn", 10.0, seed) for seed in range(3)]
    grid += [(net, 0.0, seed) for seed in range(3, 10) for net in TEN_SEEDS]
    rest = [(net, sigma, seed) for seed in range(3) for sigma in (10.0, 30.0, 1.0) for net in LABELS]
    return grid + [job for job in rest if job not in grid]


def _short(size: Size, net: str, sigma: float, seed: int) -> ImageDataJob:
    from scaledetect.training import ImageTrainConfig

    recipe, small = RECIPES[net], size == "small"
    own: dict[str, Any] = {"epochs": recipe.small if small else recipe.laptop, "lr": recipe.lr, "noise_norm": sigma}
    own |= {"batch_size": 64 if small else 128, "cosine_share": 1.0}
    if net.startswith("fc"):
        own |= {"optimizer": "adam", "schedule": "constant", "weight_decay": 0.0}
    n_train, n_test = (4000, 4000) if small else (10_000, 10_000)
    return ImageDataJob(net, n_train, n_test, seed, ImageTrainConfig(**own), recipe.options)


def _paper(net: str, sigma: float, seed: int) -> ImageDataJob:
    """The protocol of the published scripts, to the number."""
    from scaledetect.training import ImageTrainConfig

    own: dict[str, Any] = {"noise_norm": sigma, "keep": "best_test_error"}
    if net.startswith("fc"):
        own |= {"optimizer": "adam", "schedule": "constant", "weight_decay": 0.0}
    return ImageDataJob(net, 50_000, 10_000, seed, ImageTrainConfig(**own))
