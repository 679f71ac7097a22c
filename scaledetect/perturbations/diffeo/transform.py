"""Random deformations as a transform of a data pipeline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from scaledetect._base.arguments import finite, positive
from scaledetect._base.errors import bad_type, bad_value, shown
from scaledetect.perturbations.diffeo.temperature import (
    SLACK,
    check_cutoff,
    diffeo_temperature_range,
    largest_cutoff,
)
from scaledetect.perturbations.diffeo.warp import diffeo

__all__ = ["Diffeo"]

Images = TypeVar("Images", NDArray[Any], Tensor)


@dataclass(frozen=True)
class Diffeo:
    """A random diffeomorphism for each image, of random strength and cutoff: a transform for torchvision pipelines.

    Each call draws a cutoff, then a strength among those allowed for it, then the fields: one for each image, all of
    the same strength and cutoff.

    Parameters
    ----------
    cutoff : int or (int, int), optional
        One, or a range (both ends included) to draw from uniformly; None: from 2 to 2 L / pi, all there are.
    temperature : float or (float, float), optional
        One, or a range to draw from uniformly. None, when `delta` is not given either: all that is allowed for the
        cutoff drawn.
    delta : float or (float, float), optional
        Nominal displacement instead of a temperature, pixels (Euclidean); a range is drawn from uniformly.

    Raises
    ------
    TypeError, ValueError
        For numbers out of range, ends in the wrong order, or both `temperature` and `delta`; on a call, for images as
        in `diffeo`, and when nothing in the ranges is allowed for the images' size.

    Notes
    -----
    A range that reaches beyond `diffeo_temperature_range` is cut to it. It takes what `diffeo` takes, so in a pipeline
    it comes after the conversion to a floating tensor. Randomness comes from torch's global generator, as in
    torchvision: `torch.manual_seed` makes a run repeatable, and each worker of a `DataLoader` has its own.

    Examples
    --------
    >>> import torch
    >>> from scaledetect.perturbations.diffeo import Diffeo
    >>> transform = Diffeo(cutoff=(2, 5), delta=(0.5, 2.0))
    >>> transform(torch.rand(3, 32, 32)).shape
    torch.Size([3, 32, 32])
    """

    cutoff: int | tuple[int, int] | None = None
    temperature: float | tuple[float, float] | None = None
    delta: float | tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for cutoff in _ends("cutoff", self.cutoff):
            check_cutoff(cutoff)
        for name in ("temperature", "delta"):
            for value in _ends(name, getattr(self, name)):
                positive(name, value)
        if self.temperature is not None and self.delta is not None:
            raise bad_value(
                "delta", self.delta, f"temperature={shown(self.temperature)} fixes the strength already", "give one"
            )

    def __call__(self, images: Images) -> Images:
        """Images of the shape, kind, dtype and device of `images`, deformed."""
        size = images.shape[-1] if getattr(images, "ndim", 0) else 0
        if not size:
            raise bad_type("images", type(images).__name__, "must be a NumPy array or a tensor", "convert them first")
        cutoff = self._draw_cutoff(size)
        temperature = self._draw_temperature(size, cutoff)
        seed = int(torch.randint(2**63 - 1, ()))
        return diffeo(images, temperature=temperature, cutoff=cutoff, seed=seed)

    def _draw_cutoff(self, size: int) -> int:
        low, high = _ends("cutoff", self.cutoff) or (2, largest_cutoff(size))
        return int(torch.randint(check_cutoff(low, size), check_cutoff(high, size) + 1, ()))

    def _draw_temperature(self, size: int, cutoff: int) -> float:
        least, most = diffeo_temperature_range(size, cutoff)
        if self.delta is None:
            return _draw("temperature", self.temperature, least, most, f"L={size}, cutoff={cutoff}")
        delta = _draw("delta", self.delta, 0.5, size / (math.pi * cutoff), f"L={size}, cutoff={cutoff}")
        return 4 * delta**2 / (math.pi * size**2 * math.log(cutoff))


def _ends(name: str, value: Any) -> tuple[Any, ...]:
    """The two ends of a range, equal for one number; none for None."""
    if value is None:
        return ()
    if not isinstance(value, tuple):
        return value, value
    ends = tuple(finite(name, end) for end in value)
    if len(ends) != 2 or not ends[0] <= ends[1]:
        raise bad_value(name, value, "a range is two numbers, the smaller one first")
    return value


def _draw(name: str, value: Any, least: float, most: float, where: str) -> float:
    low, high = _ends(name, value) or (least, most)
    if low > most * (1 + SLACK) or high < least * (1 - SLACK):
        raise bad_value(name, value, f"must reach into {least:.6g} .. {most:.6g} for {where}")
    low, high = (min(max(end, least), most) for end in (low, high))
    return float(low + (high - low) * torch.rand((), dtype=torch.float64).item())
