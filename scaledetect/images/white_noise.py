"""White noise of given norm on images."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from scaledetect._base.arguments import check_number, check_seed, real_array
from scaledetect._base.errors import bad_value
from scaledetect._base.image_batch import ImageBatch
from scaledetect.perturbations.noise import rescale
from scaledetect.sampling.gaussian_noise import normal_rows
from scaledetect.sampling.keys import seed_key

__all__ = ["Images", "white_noise"]

Images = TypeVar("Images", NDArray[Any], Tensor)


def white_noise(images: Images, norm: ArrayLike, *, seed: int = 0, start: int = 0) -> Images:
    """Corrupt each image by white noise of a given norm.

    Parameters
    ----------
    images : array, shape (..., C, L, L), (C, L, L) or (L, L)
        Floating NumPy array or torch tensor, finite. Three axes are one image of at most four channels, as in `diffeo`.
    norm : float or array, broadcast to the leading axes (...)
        Euclidean norm of the noise on an image, over all its pixels and channels, at least 0.
    seed : int, default 0
        From 0 to 2^64 - 1.
    start : int, default 0
        Number of the first image: image j of a seed gets the same noise in any batch and on any device.

    Returns
    -------
    array
        ``images`` + eta, of their kind, shape, dtype and device: eta has a direction uniform on the sphere and the
        norm asked for.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.

    Notes
    -----
    The corruption of training images in Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506.

    Examples
    --------
    >>> import numpy as np
    >>> from scaledetect.images import white_noise
    >>> noisy = white_noise(np.zeros((5, 3, 8, 8)), 2.0)
    >>> np.sqrt((noisy**2).sum(axis=(1, 2, 3))).round(6).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0]
    """
    batch = ImageBatch.of(images)
    start = check_number("start", start)
    norms = _check_norms(norm, batch.batch_shape)
    width = batch.tensor[:1].numel()
    dtype = "float64" if batch.tensor.dtype == torch.float64 else "float32"
    noise = normal_rows(seed_key(check_seed(seed), "white-noise"), batch.n, width, start=start, dtype=dtype)
    rescale(torch.from_numpy(noise), torch.tensor(norms)[:, None])
    eta = torch.from_numpy(noise).reshape(batch.tensor.shape).to(batch.tensor)
    return batch.restore(batch.tensor + eta)  # type: ignore[no-any-return]


def _check_norms(norm: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    values = real_array("norm", norm)
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise bad_value("norm", norm, "must be finite and at least 0")
    try:
        return np.broadcast_to(values, shape).reshape(-1)
    except ValueError:
        way_out = "give one number, or one per image"
        raise bad_value("norm", f"array of shape {values.shape}", f"does not fit images {shape}", way_out) from None
