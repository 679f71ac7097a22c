"""Cluster expansion of any net in its active pixels: its sensitivities from images with no, one or two of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scaledetect._base.arguments import integer
from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.noise import Noise
from scaledetect.results import Pooling, Sensitivities
from scaledetect.task.task import Task, check_task
from scaledetect.theory._sensitivities import strength
from scaledetect.theory.cluster.noise_response import block_means, check_draws, empty_responses
from scaledetect.theory.cluster.orders import FirstOrder, SecondOrder
from scaledetect.theory.cluster.responses import activation_slices, reader_on

if TYPE_CHECKING:
    import torch

    from scaledetect.activations.reader import ActivationReader

__all__ = [
    "EPS",
    "LayerMoments",
    "cluster_sensitivities",
]


EPS = float(np.finfo(np.float64).eps)


@dataclass
class LayerMoments:
    """Sums over the numbers of a layer.

    `shift` is E|f(tau x) - f(x)|^2, `covariance` E|f|^2 - |E f|^2, that is Delta / 2, and `mean_square` |E f|^2.
    """

    shift: float = 0.0
    covariance: float = 0.0
    mean_square: float = 0.0

    @property
    def second(self) -> float:
        """E|f|^2."""
        return self.covariance + self.mean_square

    def add(self, shift: float, covariance: float, mean_square: float) -> None:
        """Add those of some more numbers."""
        self.shift += shift
        self.covariance += covariance
        self.mean_square += mean_square

    def settled(self, eps: float) -> LayerMoments:
        """The same, with 0 where a moment is below the rounding of a layer whose type has the spacing `eps`."""
        least = max(256 * EPS, (16 * eps) ** 2) * self.second
        return LayerMoments(0.0 if self.shift <= least else self.shift, max(self.covariance, 0.0), self.mean_square)


NAMES = ("D", "G", "R", "Delta")


def cluster_sensitivities(
    net: Any,
    task: Task,
    *,
    order: Literal[1, 2] = 1,
    noise: Noise = Noise(),
    layers: Iterable[str] | None = None,
    channel_mean: bool = False,
    n: int = 10_000,
    seed: int = 0,
    prepare: Callable[[torch.Tensor], torch.Tensor] | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Sensitivities:
    """Sensitivities of any net on a task, expanded in its active pixels: nothing is fitted, and no pairs are drawn.

    With phi(p) = f(pixel p) - f(0), f(0) that of the empty image, and psi(p, q) what the second pixel adds to that,

        f(x) = f(0) + phi(p) + phi(q) + psi(p, q).

    First order leaves out psi. Then D and Delta are sums of the Gram matrix K(p, p') = <phi(p), phi(p')> over the exact
    class-balanced ensemble of pairs, N forward passes in all:

        Delta = 2 sum_{p p'} Cov(x_p, x_p') K(p, p') / a^2,   D Delta = sum_{p p'} E[v_p v_p'] K(p, p') / a^2,

    v = tau x - x. Second order keeps psi, and is exact; psi(p, p) is that of one pixel of twice the value, where the
    shift makes two pixels meet. G is taken to order 0: noise on the empty image.

    Parameters
    ----------
    net : torch.nn.Module or callable
        Takes images of shape (n, 1, L[, L[, L]]), as for `scaledetect.sensitivities`; it is left as it was found.
    task : Task
        Without background noise; of at most 6144 sites at first order, and at second of at most 199 (20,000 images).
    order : {1, 2}, default 1
        Of D and Delta.
    noise : Noise, default signed and matched to the ensemble
        The noise of G; ``match="sample"`` has no strength on an empty image.
    layers, channel_mean, prepare, device, dtype
        As in `scaledetect.sensitivities`, and so are the rows.
    n : int, default 10000
        Draws of the noise, a multiple of 50. Draw j is that of a measurement with the same seed.
    seed : int, default 0
        Seed of the noise.

    Returns
    -------
    Sensitivities
        With ``kind="theory"``. D and Delta have standard error 0; G and R that of a jackknife over 50 blocks of noise,
        with its `deviations`. D and G are NaN, with a warning, where a layer is constant over the images or not finite.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming the argument: background noise, ``match="sample"``, an order other than 1 and 2, a task too large, `n`
        that makes no equal blocks; layers and nets as in `scaledetect.sensitivities`.

    Warns
    -----
    RuntimeWarning
        For layers whose D and G are NaN.

    Notes
    -----
    Beyond Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506. Exact at first order for nets that are linear on two
    pixels, in particular constant filters; what it misses is `scaledetect.theory.pair_interaction`. Beside a batch it
    holds 256 MiB of activations at a time and four matrices of N^2 numbers; a net with more activations than that over
    all images runs on them several times.

    Examples
    --------
    >>> import scaledetect as sd
    >>> task = sd.Task(size=32, xi=8)
    >>> net = sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=3)
    >>> sd.theory.cluster_sensitivities(net, task, n=100).D.round(4)
    array([0.5392, 0.2865, 0.164 ])
    """
    check_task(task)
    integer("order", order, 1, 2, kind="1 or 2")
    sigma, n = strength(task, noise), check_draws(n)
    pixels = FirstOrder(task) if order == 1 else SecondOrder(task)
    options: dict[str, Any] = {"layers": layers, "channel_mean": channel_mean, "prepare": prepare, "seed": seed}
    with reader_on(net, task, **options, device=device, dtype=dtype) as reader:
        moments = _moments(reader, pixels)
        noisy = empty_responses(reader, task, noise.mode, sigma, n=n, seed=seed)
    config = {
        "theory": "cluster",
        "order": int(order),
        "task": asdict(task),
        "net": {"class": type(reader.net).__name__},
        "noise": asdict(noise),
        "seed": seed,
        "channel_mean": channel_mean,
    }
    return _result(reader, moments, noisy, sigma=sigma, n=n, config=config)


def _moments(reader: ActivationReader, pixels: FirstOrder | SecondOrder) -> dict[str, LayerMoments]:
    found = {name: LayerMoments() for name in reader.layers}
    for name, f in activation_slices(reader, pixels.images, pixels.n_images):
        found[name].add(*pixels.moments(f))
    return found


def _result(
    reader: ActivationReader,
    moments: Mapping[str, LayerMoments],
    noisy: Mapping[str, FloatArray],
    *,
    sigma: float,
    n: int,
    config: Mapping[str, Any],
) -> Sensitivities:
    flaws = {name: _flaw(moments[name], noisy[name], layer.eps) for name, layer in reader.layers.items()}
    _warn(flaws)
    columns = [
        _columns(moments[name].settled(layer.eps), noisy[name], flaws[name] is None)
        for name, layer in reader.layers.items()
    ]
    values: dict[str, Any] = {key: np.array([value[key] for value, _ in columns]) for key in NAMES}
    deviations = {key: np.stack([spread[key] for _, spread in columns], axis=1) for key in NAMES}
    errors: dict[str, Any] = {
        f"{key}_stderr": np.sqrt(np.square(spread).sum(axis=0)) for key, spread in deviations.items()
    }
    layers = tuple(reader.layers)
    pooling = getattr(reader.net, "pooling", None)
    return Sensitivities(
        layers=layers,
        **values,
        **errors,
        sigma=sigma,
        kind="theory",
        A=pooling.A if isinstance(pooling, Pooling) and pooling.layers == layers else None,
        n=n,
        n_blocks=len(next(iter(noisy.values()))),
        config=config,
        deviations=deviations,
    )


def _columns(moments: LayerMoments, noisy: FloatArray, sound: bool) -> tuple[dict[str, float], dict[str, FloatArray]]:
    """D, G, R and Delta of a layer, and the deviation of each block of noise from them."""
    delta = 2 * moments.covariance
    response, without = block_means(noisy)
    with np.errstate(divide="ignore", invalid="ignore"):
        G = np.array([response, *without]) / delta if sound else np.full(1 + len(without), np.nan)
        R = moments.shift / np.array([response, *without])
    if response == 0:
        R = np.full(1 + len(without), np.nan)
    D = moments.shift / delta if sound else np.nan
    none = np.zeros(len(without))
    scale = np.sqrt((len(without) - 1) / len(without))
    spread = {key: scale * (curve[1:].mean() - curve[1:]) for key, curve in (("G", G), ("R", R))}
    spread |= {"D": none if sound else none + np.nan, "Delta": none}
    return {"D": D, "G": float(G[0]), "R": float(R[0]), "Delta": delta}, spread


def _flaw(moments: LayerMoments, noisy: FloatArray, eps: float) -> str | None:
    """Why a layer has no sensitivity, if it has none; the same rule as for a measurement."""
    if not (np.isfinite([moments.shift, moments.second]).all() and np.isfinite(noisy).all()):
        return "activations are not finite"
    if 2 * moments.covariance <= 1000 * max(EPS, eps**2) * moments.second:
        return "constant over the images (Delta <= 1000 eps E|f|^2)"
    return None


def _warn(flaws: Mapping[str, str | None]) -> None:
    for flaw in dict.fromkeys(flaw for flaw in flaws.values() if flaw is not None):
        names = ", ".join(name for name, other in flaws.items() if other == flaw)
        warnings.warn(f"{flaw}, so D and G are NaN: {names}", RuntimeWarning, stacklevel=4)
