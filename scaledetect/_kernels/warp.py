"""Images under displacement fields that are sums of sines: the field and the interpolation in one pass."""

from __future__ import annotations

import numpy as np

from scaledetect._kernels.jit import kernel

__all__ = ["warp_images"]

_ONE = np.uint64(1)


@kernel
def warp_images(images, coefficients, sines, out):  # type: ignore[no-untyped-def]
    """Write into `out` (n, C, L, L) the image at r - tau(r), tau the sum over coefficients (n, 2, c, c), sines (c, L).

    A row at a time: its displacements and where each pixel comes from, in double precision, then channel by channel
    the values, in that of the images.
    """
    n, channels, size, _ = images.shape
    cutoff, plane, last = sines.shape[0], size * size, size - 2
    source, target = images.reshape(n * channels * plane), out.reshape(n * channels * plane)
    down, right, at = np.empty(size), np.empty(size), np.empty(size, np.uint64)
    below, beside = np.empty(size, images.dtype), np.empty(size, images.dtype)
    next_row = np.uint64(size)
    for k in range(n):
        for r in range(size):
            down[:] = 0.0
            right[:] = 0.0
            for j in range(cutoff):
                wave0 = 0.0
                wave1 = 0.0
                for i in range(cutoff):
                    wave0 += sines[i, r] * coefficients[k, 0, i, j]
                    wave1 += sines[i, r] * coefficients[k, 1, i, j]
                for s in range(size):
                    down[s] += wave0 * sines[j, s]
                    right[s] += wave1 * sines[j, s]
            for s in range(size):
                y = min(max(r - down[s], 0.0), size - 1.0)
                x = min(max(s - right[s], 0.0), size - 1.0)
                top, left = min(np.int64(y), last), min(np.int64(x), last)
                below[s], beside[s] = y - top, x - left
                at[s] = np.uint64(top * size + left)
            for c in range(channels):
                start = (k * channels + c) * plane
                image, row = source[start : start + plane], target[start + r * size : start + (r + 1) * size]
                for s in range(size):
                    m = at[s]
                    upper = image[m] + beside[s] * (image[m + _ONE] - image[m])
                    m += next_row
                    lower = image[m] + beside[s] * (image[m + _ONE] - image[m])
                    row[s] = upper + below[s] * (lower - upper)
