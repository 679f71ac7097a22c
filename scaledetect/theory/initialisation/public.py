"""The public functions: sensitivities of the net of the paper before training at infinite width; scatter of one net."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import at_least_one, check_number, check_seed, flag, one_of
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.progress import ProgressOption, reporting
from scaledetect.perturbations.noise import Noise
from scaledetect.results import Pooling, Sensitivities
from scaledetect.task.task import Task, check_task
from scaledetect.theory._matching import ensemble_sigma
from scaledetect.theory.initialisation.enumeration import exact_sums
from scaledetect.theory.initialisation.monte_carlo import (
    BLOCKS,
    DEFORMATION,
    NOISE,
    SPREAD,
    Draws,
    channel_mean_sums,
    channel_sums,
)
from scaledetect.theory.initialisation.outcome import sensitivities_of_blocks
from scaledetect.theory.initialisation.wide_net import Gain, WideNet

if TYPE_CHECKING:
    from scaledetect.nets import PoolingNet

__all__ = [
    "at_initialisation",
    "one_net_scatter",
]


_DEFAULTS = {"filter_size": 2, "stride": 2, "depth": 6, "gain": "critical", "width": None}


def at_initialisation(
    task: Task,
    net: PoolingNet | None = None,
    *,
    filter_size: int | Sequence[int] = 2,
    stride: int | Sequence[int] = 2,
    depth: int = 6,
    gain: Gain = "critical",
    width: int | None = None,
    channel_mean: bool = False,
    noise: Noise = Noise(),
    n: int = 20_000,
    seed: int = 0,
    progress: ProgressOption = False,
) -> Sensitivities:
    """Sensitivities of a `PoolingNet` before training, averaged over its weights, at infinite width.

    The channels of a layer become independent Gaussian processes over images and sites. With W the mean over a window
    (circular, strided) and g the gain, the kernel of two images x and y at a site r of layer k obeys

    - K_1(x, y)[r] = 1 + (W x y)[r] and K_{k+1} = 1 + g^2 W Q_k, with Q(x, x) = K(x, x) / 2 and otherwise
      Q(x, y) = sqrt(K_x K_y) / (2 pi) [sin t + (pi - t) cos t], cos t = K(x, y) / sqrt(K_x K_y);
    - S_k(x, y) = g^2 sum_r [K_x / 2 + K_y / 2 - 2 Q(x, y)] is E |f_k(x) - f_k(y)|^2 per channel;
    - D_k = E S(x, tau x) / Delta_k, G_k = E S(x, x + eta) / Delta_k, Delta_k = E S(x_1, x_2).

    The numerators of D and Delta are enumerated where that is feasible, and the rest is Monte Carlo.

    Parameters
    ----------
    task : Task
        Any task, also with background noise (which leaves nothing to enumerate).
    net : PoolingNet, optional
        Gives its filter sizes, strides, gain and width; its weights are not looked at. Or give the numbers:
    filter_size, stride : int or sequence of int, default 2
        Filter side F and stride s, in sites of the layer's input; one number, or one per layer.
    depth : int, default 6
        Number of layers K.
    gain : {"critical", "paper"}, default "critical"
        Factor after each ReLU: sqrt(2), or sqrt(F^d) as published.
    width : int, optional
        Channels H of every layer, at least 1; for `channel_mean` only, which demands it.
    channel_mean : bool, default False
        Average each layer over its channels first. To first order in 1/H the numerators are
        T + [S - T + V] / H: T = (g^2 / 2 pi) sum_r (sqrt K_x - sqrt K_y)^2, and V is what the empirical kernel of the
        layer below fluctuates by, for which the kernel between sites is evaluated on the first draws of each block.
    noise : Noise, default signed and matched to the ensemble
        The noise of G; ``match="sample"`` too.
    n : int, default 20000
        Draws of the Monte Carlo, a multiple of 200.
    seed : int, default 0
        Seed of the draws, from 0 to 2^64 - 1. They are not those of a measurement with this seed.
    progress : bool or callable, default False
        As in `scaledetect.sensitivities`.

    Returns
    -------
    Sensitivities
        With ``kind="theory"``, `layers` named layer1 .. layerK and `A` in input pixels. D and Delta have standard
        error 0 at layers where they are enumerated; other errors are those of the Monte Carlo, from 50 blocks of
        draws, and `z` adds them to those of a measurement. D and G are NaN, with a warning, where
        Delta <= 1000 eps E|f|^2. `sigma` is NaN for ``match="sample"``.

    Raises
    ------
    TypeError, ValueError
        For a net of another kind or dimension, a net together with numbers, `channel_mean` without `width` or `width`
        without `channel_mean`, `n` that is not a multiple of 200, and channel means of images of more than 4096 sites
        or where V would take more than minutes.

    Notes
    -----
    Beyond Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506. The kernels are those of Cho and Saul (2009), through
    convolutions as in Novak et al. (2019). Delta and D see the sum over sites of distances at equal sites only, and a
    convolution maps equal sites to equal sites: kernels between sites are needed for channel means alone. One net of
    width H scatters about this by a few parts in sqrt(H): `one_net_scatter`.

    A layer is enumerated over all that the window of a site can show of the pairs: feasible for windows up to about
    130 pixels, and images of at most 4096.

    Examples
    --------
    >>> from scaledetect import Task, theory
    >>> t = theory.at_initialisation(Task(size=64, xi=16), n=200)
    >>> t.D.round(5), t.D_stderr.max()
    (array([0.91035, 0.82719, 0.78452, 0.76986, 0.77093, 0.77939]), np.float64(0.0))
    """
    check_task(task)
    given = {"filter_size": filter_size, "stride": stride, "depth": depth, "gain": gain, "width": width}
    wide = _net_of_numbers(task, filter_size, stride, depth, gain) if net is None else _net_of(task, net, given)
    channels = _channels(channel_mean, width if net is None else net.width, net is not None)
    numbers = _checked(noise), _strength(task, noise), _number_of_draws(n), check_seed(seed)
    with reporting(progress, "draws") as report:
        draws = Draws(task, *numbers, report=report)
        blocks, exact = _sums(draws, wide, channels)
    pooling = wide.pooling
    config = {
        "task": asdict(task),
        "net": {"dim": task.dim, **asdict(pooling), "gain": wide.gain, "width": channels},
        "noise": asdict(noise),
        "theory": "at_initialisation",
        "channel_mean": channel_mean,
        "seed": draws.seed,
    }
    return sensitivities_of_blocks(
        blocks, exact, _energy(task, wide), pooling.layers, A=pooling.A, sigma=draws.sigma, n=draws.n, config=config
    )


def _sums(draws: Draws, net: WideNet, channels: int | None) -> tuple[FloatArray, FloatArray]:
    """Block means and exact values of both numerators and the normalisation: (B, K, 3) and (K, 3)."""
    exact = np.full((net.pooling.depth, 3), np.nan)
    if channels is not None:
        return channel_mean_sums(draws, net, channels), exact
    sums = exact_sums(draws.task, net)
    exact[:, 0], exact[:, 2] = sums.shift, sums.delta
    columns = [column for column in range(3) if np.isnan(exact[:, column]).any()]
    blocks = np.zeros((BLOCKS, net.pooling.depth, 3))
    blocks[..., columns] = channel_sums(draws, net, [(DEFORMATION, NOISE, SPREAD)[column] for column in columns])
    return blocks, exact


def _energy(task: Task, net: WideNet) -> FloatArray:
    """E|f|^2 per channel of each layer, to which a normalisation is compared."""
    square = 2 * task.pixel_value**2 / task.n_sites + task.background_noise**2
    sites = np.array(net.pooling.sizes(task.size), dtype=np.float64) ** task.dim
    return np.asarray(sites * net.second_moments(square))


# ---------------------------------------------------------------------- arguments


def _net_of_numbers(
    task: Task, filter_size: int | Sequence[int], stride: int | Sequence[int], depth: int, gain: Gain
) -> WideNet:
    one_of("gain", gain, ("critical", "paper"))
    pooling = Pooling.of(filter_size, stride, depth)
    return WideNet(task.dim, pooling, gain)


def _net_of(task: Task, net: object, given: Mapping[str, object]) -> WideNet:
    for name, value in given.items():
        if repr(value) != repr(_DEFAULTS[name]):
            raise bad_value(name, value, "the net has its own", "give the net or the numbers")
    pooling, gain, dim = (getattr(net, name, None) for name in ("pooling", "gain", "dim"))
    if not isinstance(pooling, Pooling) or gain not in ("critical", "paper") or not hasattr(net, "width"):
        way_out = "measure it, or see theory.sensitivities for a ConstantFilterNet"
        raise bad_type("net", net, "must be a PoolingNet: of others the theory at initialisation is not known", way_out)
    if dim != task.dim:
        raise bad_value("net", net, f"takes images of {dim} dimensions, and the task has dim={task.dim}")
    return WideNet(task.dim, pooling, cast(Gain, gain))


def _channels(channel_mean: bool, width: int | None, is_nets: bool) -> int | None:
    """Channels to average over; None for none."""
    if not flag("channel_mean", channel_mean):
        if width is not None and not is_nets:
            limit = "single channels are those of infinite width"
            raise bad_value("width", width, limit, "leave it out, or ask for channel_mean=True")
        return None
    if width is None:
        limit = "the mean over channels depends on how many there are, and has no useful limit"
        raise bad_value("width", width, limit, "give the number of channels of every layer")
    return at_least_one("width", width)


def _checked(noise: Noise) -> Noise:
    if not isinstance(noise, Noise):
        raise bad_type("noise", noise, "must be a Noise")
    return noise


def _strength(task: Task, noise: Noise) -> float:
    if noise.sigma is not None:
        return noise.sigma
    return math.nan if noise.match == "sample" else ensemble_sigma(task)


def _number_of_draws(n: object) -> int:
    number, step = check_number("n", n), 4 * BLOCKS
    if number < 1 or number % step:
        nearest = max(step, step * round(number / step))
        raise bad_value("n", n, f"must be a multiple of {step}: {BLOCKS} blocks of four", f"the nearest is {nearest}")
    return number


FIRST, STEP = 0.5, 0.22
"""c at layer 1, and what each further layer adds: measured, it grows from 0.5 to 1.6 over six layers."""


def one_net_scatter(depth: int, width: int) -> NDArray[np.float64]:
    """Relative standard deviation of D_k or G_k of one untrained `PoolingNet` about `at_initialisation`.

    Parameters
    ----------
    depth : int
        Number of layers K.
    width : int
        Channels H of every layer.

    Returns
    -------
    ndarray of float64, shape (K,)
        c_k / sqrt(H), c_k = 0.5 + 0.22 (k - 1): a rule for single channels, for bands in figures and not for tests.
        Forty nets of width 128 on the periodic task of L = 64, xi = 16 with F = s = 2 had c from 0.5 to 1.6 for G and
        from 0.5 to 0.9 for D over six layers; beyond them it is an extrapolation.

    Examples
    --------
    >>> from scaledetect import theory
    >>> theory.one_net_scatter(6, 100).round(3)
    array([0.05 , 0.072, 0.094, 0.116, 0.138, 0.16 ])
    """
    layers = np.arange(at_least_one("depth", depth))
    return np.asarray((FIRST + STEP * layers) / np.sqrt(at_least_one("width", width)))
