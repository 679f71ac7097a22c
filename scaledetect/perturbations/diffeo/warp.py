"""Images under a displacement field."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray
from torch import Tensor

from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.image_batch import ImageBatch
from scaledetect._kernels import backend
from scaledetect._kernels.driver import CHUNK, for_rows
from scaledetect.perturbations.diffeo.fields import diffeo_coefficients, displacement_field, sine_waves
from scaledetect.perturbations.diffeo.temperature import temperature_of

__all__ = ["deform", "diffeo"]

Images = TypeVar("Images", NDArray[Any], Tensor)

CHUNK_DEVICE = 1 << 26
"""Values warped at a time where there is no CPU: half a gigabyte of float64."""


def diffeo(
    images: Images,
    *,
    temperature: float | None = None,
    delta: float | None = None,
    cutoff: int = 3,
    seed: int = 0,
    start: int = 0,
) -> Images:
    """Deform each image by a random diffeomorphism of its own.

    Parameters
    ----------
    images : array, shape (..., C, L, L), (C, L, L) or (L, L)
        Floating NumPy array or torch tensor, on any device, finite. One image is (C, L, L), its channels move
        together; all axes before them count images. As in torchvision, three axes are *one* image, of at most four
        channels: a batch of grey images needs its channel axis, ``images[:, None]``.
    temperature : float, optional
        Temperature T of the field, within `diffeo_temperature_range`.
    delta : float, optional
        Nominal displacement instead, pixels (Euclidean), from 0.5 to L/(pi c): T = 4 delta^2/(pi L^2 ln c). 1.0 when
        neither is given. See `typical_displacement` for the true root mean square.
    cutoff : int, default 3
        Largest wave number c of the field, from 2 to 2 L / pi.
    seed : int, default 0
        From 0 to 2^64 - 1.
    start : int, default 0
        Number of the first image, counted over all leading axes: image j of a seed gets the same field in any batch
        and on any device.

    Returns
    -------
    array
        Of the kind, shape, dtype and device of `images`, differentiable with respect to them:
        (tau x)(r) = x(r - tau(r)), bilinear, coordinates clamped to the image. The border stays where it is.

    Raises
    ------
    TypeError, ValueError
        Naming the argument: images that are not square, floating and finite, both `temperature` and `delta`, a
        strength or cutoff beyond its range (the message gives it), a `seed` or `start` that is not a non-negative
        integer.

    Notes
    -----
    Petrini, Favero, Geiger, Wyart, arXiv 2105.02468. Coordinates are computed in float64 whatever the dtype:
    in float32 they would be wrong by 1e-5 pixels at L = 224.

    Examples
    --------
    >>> import numpy as np
    >>> from scaledetect.perturbations.diffeo import diffeo
    >>> images = np.random.default_rng(0).random((10, 3, 32, 32), dtype=np.float32)
    >>> deformed = diffeo(images, delta=1.5, seed=1)
    >>> deformed.shape, deformed.dtype
    ((10, 3, 32, 32), dtype('float32'))
    >>> bool(np.array_equal(deformed[4:], diffeo(images[4:], delta=1.5, seed=1, start=4)))
    True
    """
    batch = ImageBatch.of(images)
    strength = temperature_of(batch.size, cutoff, temperature=temperature, delta=delta)
    # Drawn on the CPU, so that every device gets the same fields.
    coefficients = diffeo_coefficients(batch.n, cutoff=cutoff, seed=seed, start=start)
    warp = _warp_compiled if _is_plain(batch.tensor) else _warp_differentiably
    return batch.restore(warp(batch.tensor, coefficients, strength))  # type: ignore[no-any-return]


@overload
def deform(images: Tensor, field: Tensor) -> Tensor: ...
@overload
def deform(images: NDArray[Any], field: NDArray[Any]) -> NDArray[Any]: ...
def deform(images: NDArray[Any] | Tensor, field: NDArray[Any] | Tensor) -> NDArray[Any] | Tensor:
    """Deform images by given displacement fields.

    Parameters
    ----------
    images : array, shape (..., C, L, L), (C, L, L) or (L, L)
        As `diffeo` takes them.
    field : array, shape (..., 2, L, L)
        Displacements along the rows' axis and along the columns' axis, pixels: one field for each image, so of shape
        (2, L, L) for one image. Of the kind of `images`; as `displacement_field` makes them.

    Returns
    -------
    array
        As `diffeo` returns it; differentiable with respect to both.

    Raises
    ------
    TypeError, ValueError
        For images as in `diffeo`, and a field of another kind or shape.
    """
    batch = ImageBatch.of(images)
    if isinstance(field, Tensor) is not batch.is_torch or not isinstance(field, Tensor | np.ndarray):
        raise bad_type("field", type(field).__name__, f"must be of the kind of images, {type(images).__name__}")
    if not isinstance(field, Tensor) and field.dtype.kind not in "biuf":
        raise bad_type("field", f"array of {field.dtype}", "must hold real numbers", "convert it with astype")
    shape = (*batch.batch_shape, 2, batch.size, batch.size)
    if tuple(field.shape) != shape:
        raise bad_value("field", f"array of shape {tuple(field.shape)}", f"must have shape {shape} for these images")
    # torch warns of an array that it may not write to: a copy never is one.
    given = field if isinstance(field, Tensor) else torch.from_numpy(np.array(field))
    fields = given.to(batch.tensor.device, _working_dtype(batch.tensor)).reshape(batch.n, 2, batch.size, batch.size)
    return batch.restore(_by_chunks(batch.tensor, lambda a, b: fields[a:b]))  # type: ignore[no-any-return]


def _is_plain(images: Tensor) -> bool:
    """Whether a kernel can do it: in memory, without a gradient to come, of a type NumPy computes with."""
    wanted = images.requires_grad and torch.is_grad_enabled()
    return images.device.type == "cpu" and images.dtype in (torch.float32, torch.float64) and not wanted


def _warp_compiled(images: Tensor, coefficients: NDArray[np.float64], temperature: float) -> Tensor:
    source = np.ascontiguousarray(images.detach().numpy())
    n, size = len(source), source.shape[-1]
    out = np.empty_like(source)
    scaled = size * math.sqrt(temperature) * coefficients
    waves = np.ascontiguousarray(sine_waves(size, coefficients.shape[-1]).T)
    work = backend().warp_images
    for_rows(lambda a, b: work(source[a:b], scaled[a:b], waves, out[a:b]), n, source[:1].size)
    return torch.from_numpy(out)


def _warp_differentiably(images: Tensor, coefficients: NDArray[np.float64], temperature: float) -> Tensor:
    on_device = torch.from_numpy(coefficients).to(images.device, _working_dtype(images))
    size = images.shape[-1]
    return _by_chunks(images, lambda a, b: displacement_field(on_device[a:b], size, temperature=temperature))


def _working_dtype(images: Tensor) -> torch.dtype:
    # Apple's GPUs have no float64.
    return torch.float32 if images.device.type == "mps" else torch.float64


def _by_chunks(images: Tensor, field: Callable[[int, int], Tensor]) -> Tensor:
    n, values = len(images), images[:1].numel()
    step = max(1, (CHUNK if images.device.type == "cpu" else CHUNK_DEVICE) // max(1, values))
    first = _resample(images[:step], field(0, min(step, n)))
    if n <= step:
        return first
    if first.requires_grad:
        # The graph keeps all parts anyway, and a copy into a slice would cost it a whole gradient each.
        rest = (_resample(images[a : a + step], field(a, min(a + step, n))) for a in range(step, n, step))
        return torch.cat([first, *rest])
    out = torch.empty_like(images, memory_format=torch.contiguous_format)
    out[:step] = first
    for a in range(step, n, step):
        out[a : a + step] = _resample(images[a : a + step], field(a, min(a + step, n)))
    return out


def _resample(images: Tensor, field: Tensor) -> Tensor:
    size = images.shape[-1]
    line = torch.linspace(-1, 1, size, dtype=field.dtype, device=field.device)
    # grid_sample wants (column, row), in halves of the image.
    moved = field * (2 / (size - 1))
    grid = torch.stack([line - moved[:, 1], line[:, None] - moved[:, 0]], dim=-1)
    warped = F.grid_sample(images.to(field.dtype), grid, mode="bilinear", padding_mode="border", align_corners=True)
    return warped.to(images.dtype)
