"""The fast path: periodic distance tasks are stationary, so that every layer is a sum over a power spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.perturbations.move_law import move_probabilities, moves
from scaledetect.results import Pooling
from scaledetect.task.task import Task
from scaledetect.theory import _spectrum as spectrum
from scaledetect.theory._ensemble import displacement_law
from scaledetect.theory._general import DENSE_SITES, general_moments
from scaledetect.theory._moments import Moments, without_rounding
from scaledetect.theory._pooling import Layer, layer_parameters, pooled_traces
from scaledetect.theory._windows import FirstLayer, stationary_corrections

__all__ = ["FAST_SITES", "fast_depth", "fast_moments", "has_fast_path"]

IntArray = NDArray[np.int64]

FAST_SITES = 2**26
"""Sites N beyond which the fast path is refused: it holds a few arrays of that size, about 55 N bytes."""


def has_fast_path(task: Task) -> bool:
    """Whether the ensemble is invariant under translation."""
    return task.labelling == "distance" and task.periodic


def fast_depth(size: int, pooling: Pooling) -> int:
    """Number of layers the fast path reaches: layer k needs the strides of the layers before it to divide `size`."""
    for k, stride in enumerate(pooling.stride, start=1):
        if size % stride:
            return k
        size //= stride
    return pooling.depth


def fast_moments(task: Task, pooling: Pooling, first: FirstLayer | None) -> Moments:
    """Moments of all layers, like `general_moments`; beyond `fast_depth` dense matrices go on from the last ring.

    Raises
    ------
    ValueError
        If the image has more than `FAST_SITES` sites, or the ring from which dense matrices go on has too many.
    """
    if task.n_sites > FAST_SITES:
        limit = f"the theory takes at most {FAST_SITES} sites, not {task.n_sites}"
        raise bad_value("size", task.size, limit, "lower size")
    depth = fast_depth(task.size, pooling)
    if depth < pooling.depth and set(pooling.stride[: depth - 1]) <= {1}:
        # Nothing has been pooled away yet: the general path costs the same and needs no spectrum.
        return general_moments(task, layer_parameters(pooling), first)
    field = _Field(task, first)
    totals = [field.run(*run) for run in _runs(pooling, depth, split=first is not None)]
    if depth < pooling.depth:
        # The last layer of the fast path left its ring where it was: its windows are spaced unevenly at the wrap.
        totals.append(field.densely(layer_parameters(pooling, depth - 1))[1:])
    return _moments(field, task, pooling, np.concatenate(totals))


class _Field:
    """The stationary fields on the ring of the current layer: rows covariance, shift, and white noise or `local`."""

    def __init__(self, task: Task, first: FirstLayer | None) -> None:
        law = displacement_law(task)
        self.size, self.dim = task.size, task.dim
        self.powers = _input_powers(law)
        self.first, self.law = first, law if first is not None else None
        self.both = 0.0

    def run(self, filter_size: int, stride: int, count: int) -> FloatArray:
        """Traces over the sites of `count` equal layers, shape (count, 3); moves on to the ring they leave behind."""
        gain = spectrum.outer_product(spectrum.box_gain(self.size, filter_size), self.dim)
        sums = spectrum.run_sums(self.powers.reshape(3, -1), gain.ravel(), count)
        divides = self.size % stride == 0
        if divides:
            self.powers *= gain**count
            if stride > 1:
                self.powers = np.stack([spectrum.fold(power, self.size, stride) for power in self.powers])
        sites = (-(-self.size // stride)) ** self.dim
        self.size = self.size // stride if divides else self.size
        if self.law is not None:
            sums[0, 2] = self._enter_noise()
        return np.asarray(sums * sites)

    def densely(self, layers: list[Layer]) -> FloatArray:
        """Traces after each of `layers`, shape (len(layers), 3), from circulant matrices on the present ring."""
        sites = self.size**self.dim
        if sites > DENSE_SITES:
            limit = f"a stride does not divide this ring of {sites} sites, and dense matrices take {DENSE_SITES}"
            way_out = "lower depth or size, or use strides whose product divides size"
            raise bad_value("size", self.size, limit, way_out)
        return np.stack([pooled_traces(self._circulant(power), self.dim, layers) for power in self.powers], axis=-1)

    def _enter_noise(self) -> float:
        """Put the corrections of signed noise, which exist from layer 1 on, in the third row; value at a site."""
        assert self.first is not None and self.law is not None
        local, both = stationary_corrections(self.first, self.law)
        self.both, self.law = both, None
        if len(local) == self.size:
            weight = spectrum.multiplicities(self.size, self.dim)
            self.powers[2] = spectrum.from_covariance(local) * weight / local.size
        return float(local.flat[0])

    def _circulant(self, power: FloatArray) -> FloatArray:
        values = spectrum.to_covariance(power, self.size)
        site = np.indices(values.shape).reshape(self.dim, -1)
        return np.asarray(values[tuple((axis[:, None] - axis) % self.size for axis in site)])


def _input_powers(law: FloatArray) -> FloatArray:
    """Powers of the covariance and of the shift, and of white noise, of the image over a; shape (3, L//2+1, ...)."""
    size, dim = law.shape[0], law.ndim
    structure = spectrum.from_covariance(law)
    deficit = _shift_deficit(size, dim)
    weight = spectrum.multiplicities(size, dim) / law.size
    degree = 2 / law.size
    covariance = degree * (1 + structure)
    covariance.flat[0] = 0
    shift = degree * deficit * (2 + structure * deficit)
    return np.stack([covariance * weight, shift * weight, weight])


def _shift_deficit(size: int, dim: int) -> FloatArray:
    """1 - S^, S^ the mean of cos(2 pi j m / size) over one pixel's moves m, without cancellation at small j."""
    one = spectrum.cosine_deficits(size)
    total = np.zeros((one.size,) * dim)
    for move, probability in zip(np.abs(moves(dim)), move_probabilities(dim), strict=True):
        deficit = np.zeros(())
        for axis in np.flatnonzero(move):
            part = one.reshape((-1,) + (1,) * (dim - 1 - int(axis)))
            # 1 - c c' = (1 - c) + (1 - c') - (1 - c)(1 - c')
            deficit = deficit + part * (1 - deficit)
        total += probability * deficit
    return total


def _runs(pooling: Pooling, depth: int, split: bool) -> list[tuple[int, int, int]]:
    """(filter side, stride, count): equal neighbouring layers of stride 1 together; the first alone if `split`."""
    runs: list[tuple[int, int, int]] = []
    for k, (filter_size, stride) in enumerate(zip(pooling.filter_size[:depth], pooling.stride, strict=False)):
        if runs and stride == 1 and runs[-1][:2] == (filter_size, 1) and not (split and k == 1):
            runs[-1] = (filter_size, 1, runs[-1][2] + 1)
        else:
            runs.append((filter_size, stride, 1))
    return runs


def _moments(field: _Field, task: Task, pooling: Pooling, totals: FloatArray) -> Moments:
    """Put what is uniform over the lattice, each pixel being active with probability 2 / N, beside the `totals`."""
    degree = 2 / task.n_sites
    sites = np.array([float(side) ** task.dim for side in pooling.sizes(task.size)])
    covariance, shift, extra = totals.T
    dense = np.arange(pooling.depth) >= fast_depth(task.size, pooling)
    shift = np.where(dense, without_rounding(shift, covariance + sites * degree**2), shift)
    signed = field.first is not None
    return Moments(
        sites=sites,
        mean_sum=sites * degree,
        mean_square=sites * degree**2,
        covariance=covariance,
        shift=shift,
        **({"both": sites * field.both, "local": extra} if signed else {"white": extra, "active": degree * extra}),
    )
