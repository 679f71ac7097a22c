"""Kernels of infinite nets are those of wide nets, and of site-by-site loops that know no arrays."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from scaledetect import Task
from scaledetect._base.array_types import FloatArray
from scaledetect.nets import PoolingNet
from scaledetect.theory.initialisation.rectified import rectified_product
from scaledetect.theory.kernels import overlap_kernels
from scaledetect.theory.kernels.overlap_kernels import FullyConnectedKernel, GaussianKernel, Kernel, LinearKernel
from scaledetect.theory.kernels.pooling_kernels import PoolingKernel, PoolingMeanKernel
from scaledetect.theory.kernels.population import population_of

Site = tuple[int, ...]
Layer = tuple[int, int, float]


def plain_moment(kx: float, ky: float, kxy: float) -> float:
    scale = math.sqrt(kx * ky)
    t = math.acos(max(-1.0, min(1.0, kxy / scale)))
    return scale / (2 * math.pi) * (math.sin(t) + (math.pi - t) * math.cos(t))


class PlainNet:
    """The recursion of one pair of sites of one pair of images at a time; layers are (F, s, g^2)."""

    def __init__(self, size: int, dim: int, layers: list[Layer]) -> None:
        self.dim, self.layers = dim, layers
        self.sizes = [size]
        for _, s, _ in layers:
            self.sizes.append(math.ceil(self.sizes[-1] / s))

    def covariance(self, x: FloatArray, y: FloatArray, k: int, r: Site, other: Site) -> float:
        """K_k(x, y)[r, r'], by the definition."""
        F, s, _ = self.layers[k - 1]
        total = 0.0
        for u in itertools.product(range(F), repeat=self.dim):
            p, q = (
                tuple((s * c + o - (F - 1) // 2) % self.sizes[k - 1] for c, o in zip(site, u, strict=True))
                for site in (r, other)
            )
            if k == 1:
                total += float(x[p] * y[q])
            else:
                total += self.layers[k - 2][2] * self.moment(x, y, k - 1, p, q)
        return 1 + total / math.pow(F, self.dim)

    def moment(self, x: FloatArray, y: FloatArray, k: int, p: Site, q: Site) -> float:
        kx, ky = self.covariance(x, x, k, p, p), self.covariance(y, y, k, q, q)
        return plain_moment(kx, ky, self.covariance(x, y, k, p, q))

    def kernel(self, x: FloatArray, y: FloatArray, mean: bool) -> float:
        K = len(self.layers)
        sites = list(itertools.product(range(self.sizes[-1]), repeat=self.dim))
        pairs = itertools.product(sites, sites) if mean else zip(sites, sites, strict=True)
        return self.layers[-1][2] * float(np.mean([self.moment(x, y, K, r, q) for r, q in pairs]))


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize(
    ("task", "filter_size", "stride", "gain"),
    [
        (Task(size=9, xi=3), (2, 3), (2, 1), "critical"),
        (Task(size=8, xi=4, labelling="block"), (3, 2, 2), (2, 2, 2), "paper"),
        (Task(dim=2, size=4, xi=2, labelling="block"), (2, 2), (2, 1), "critical"),
        (Task(dim=2, size=4, xi=2, periodic=False), (3, 1), (2, 1), "paper"),
    ],
)
def test_pooling_kernels_are_those_of_a_loop_over_sites(
    task: Task, filter_size: tuple[int, ...], stride: tuple[int, ...], gain: str, mean: bool
) -> None:
    kind = PoolingMeanKernel if mean else PoolingKernel
    images = population_of(task).images[::9][:5]
    gram = kind(filter_size, stride, len(stride), gain).gram(images)  # type: ignore[arg-type]
    gains = [2.0 if gain == "critical" else float(F**task.dim) for F in filter_size]
    plain = PlainNet(task.size, task.dim, list(zip(filter_size, stride, gains, strict=True)))
    expected = [[plain.kernel(x, y, mean) for y in images] for x in images]
    np.testing.assert_allclose(gram, expected, rtol=1e-12)


@pytest.mark.parametrize("rho", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_the_rectified_moment_is_the_integral(rho: float) -> None:
    a, b = 1.3, 0.6
    width = math.sqrt(1 - rho**2) * b

    def inner(z: float) -> float:
        """E ReLU(z') given z, times what multiplies it."""
        mean = rho * b * z / a
        if width == 0:
            rectified = max(mean, 0.0)
        else:
            rectified = mean * stats.norm.cdf(mean / width) + width * stats.norm.pdf(mean / width)
        return float(z * rectified * stats.norm.pdf(z, scale=a))

    expected, _ = integrate.quad(inner, 0, 12 * a, epsabs=1e-12)
    found = rectified_product(np.array(a**2), np.array(b**2), np.array(rho * a * b))
    assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("mean", [False, True])
def test_wide_pooling_nets_have_the_kernel_on_average(mean: bool) -> None:
    """Forty nets of width 512, each entry within five of its standard errors: the bias of finite width is below one."""
    images = population_of(Task(size=8, xi=3)).images[::5]
    options = {"filter_size": (3, 2), "stride": (2, 1), "depth": 2}
    x = torch.from_numpy(images)[:, None]
    grams = []
    for seed in range(40):
        net = PoolingNet(dim=1, width=512, seed=seed, **options).double()  # type: ignore[arg-type]
        with torch.no_grad():
            h = x
            for layer in net.layers:
                h = layer(h)
        h = (h.mean(2) if mean else h.flatten(1) / math.sqrt(h.shape[2])) / math.sqrt(512)
        grams.append((h @ h.T).numpy())
    stderr = np.std(grams, axis=0, ddof=1) / math.sqrt(40)
    kernel = PoolingMeanKernel(**options) if mean else PoolingKernel(**options)  # type: ignore[arg-type]
    # Student's t with 39 degrees of freedom exceeds 5 once in 80,000: here are 21 numbers.
    assert (np.abs(np.mean(grams, axis=0) - kernel.gram(images)) < 5 * stderr).all()


def test_wide_fully_connected_nets_have_the_kernel_on_average() -> None:
    """As above, for two ReLU layers of 1000 units in plain NumPy."""
    images = population_of(Task(size=8, xi=3)).images[::5]
    rng = np.random.default_rng(0)
    grams = []
    for _ in range(40):
        h = images / math.sqrt(8)
        for _ in range(2):
            fan_in = h.shape[1]
            z = h @ rng.standard_normal((fan_in, 1000)) + rng.standard_normal(1000)
            h = np.sqrt(2 / 1000) * np.maximum(z, 0)
        # The readout and its bias, averaged over their weights.
        grams.append(1 + h @ h.T)
    stderr = np.std(grams, axis=0, ddof=1) / math.sqrt(40)
    assert (np.abs(np.mean(grams, axis=0) - FullyConnectedKernel(depth=2).gram(images)) < 5 * stderr).all()


def test_linear_and_gaussian_kernels_know_how_many_pixels_two_images_share() -> None:
    """|x|^2 = N at the default amplitude, so that x . y / N is 1, 1/2 or 0."""
    images = population_of(Task(size=8, xi=3)).images
    shared = ((images[:, None] > 0) & (images > 0)).sum(axis=-1)
    np.testing.assert_allclose(LinearKernel().gram(images), shared / 2, rtol=1e-14)
    np.testing.assert_allclose(GaussianKernel(0.7).gram(images), np.exp((shared - 2) / (2 * 0.49)), rtol=1e-12)


@pytest.mark.parametrize("kind", [PoolingKernel, PoolingMeanKernel])
def test_the_size_of_the_blocks_does_not_matter(kind: type[Kernel], monkeypatch: pytest.MonkeyPatch) -> None:
    images = population_of(Task(size=8, xi=3)).images
    whole = kind().gram(images)
    monkeypatch.setattr(overlap_kernels, "CHUNK", 100)
    np.testing.assert_array_equal(kind().gram(images), whole)


@pytest.mark.parametrize(
    "kernel", [GaussianKernel(), FullyConnectedKernel(), PoolingKernel(depth=3), PoolingMeanKernel(depth=3)]
)
def test_kernels_are_symmetric_and_positive(kernel: Kernel) -> None:
    gram = kernel.gram(population_of(Task(size=9, xi=3)).images)
    np.testing.assert_array_equal(gram, gram.T)
    assert np.linalg.eigvalsh(gram)[0] > -1e-13 * len(gram) * gram.max()


def test_a_shift_by_all_strides_changes_no_pooling_kernel() -> None:
    """Eight pixels are one site of the last of three layers of stride 2."""
    images = population_of(Task(size=16, xi=4)).images[::7]
    moved = np.roll(images, 8, axis=1)
    for kind in (PoolingKernel, PoolingMeanKernel):
        np.testing.assert_allclose(kind(depth=3).gram(moved), kind(depth=3).gram(images), rtol=1e-13)
    both = PoolingMeanKernel(depth=3).gram(np.concatenate([images, moved]))
    np.testing.assert_allclose(both[: len(images), len(images) :], both[: len(images), : len(images)], rtol=1e-13)
