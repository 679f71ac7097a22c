"""Kernels that make images: two active pixels on a background of zeros, and images warped by a displacement field."""

from __future__ import annotations

import numpy as np

from scaledetect._kernels.jit import inlined, kernel, stream_copy, stream_zeros, write_fence

__all__ = [
    "add_pixels",
    "warp_images",
]


_ONE = np.uint64(1)
_SLAB = 16_384
"""Pixels filled at a time."""
_LARGE = 33_554_432
"""Bytes of images that no cache holds: they are filled past it."""
_DENSE = 1024
"""Bytes of an image below which its two pixels touch so much of it that nothing is gained by that."""
_WIDE = np.uint64(32)
"""Bytes of one store past the caches."""


@kernel
def add_pixels(pairs, value, images):  # type: ignore[no-untyped-def]
    """Zero `images` (n, N) and add `value` at both pixels of each pair (n, 2, d)."""
    n, sites = images.shape
    flat = images.reshape(n * sites)
    dim = pairs.shape[2]
    side = sites if dim == 1 else np.int64(round(sites ** (1.0 / dim)))
    aligned = flat.ctypes.data % flat.itemsize == 0
    if aligned and _past_caches(flat.nbytes, sites * flat.itemsize):
        _add_past_caches(pairs, value, flat, sites, side)
        return
    rows = _rows_in(_SLAB, sites)
    for first in range(0, n, rows):
        # The pixels of a slab are set while it is still in the cache, so each byte goes to memory once.
        last = min(first + rows, n)
        flat[first * sites : last * sites] = 0
        _set_pixels(pairs, value, flat, sites, side, first, last)


@inlined
def _past_caches(n_bytes, bytes_of_one):  # type: ignore[no-untyped-def]
    return n_bytes >= _LARGE and bytes_of_one >= _DENSE


@inlined
def _rows_in(most, one):  # type: ignore[no-untyped-def]
    return max(1, most // one)


@inlined
def _add_past_caches(pairs, value, flat, sites, side):  # type: ignore[no-untyped-def]
    """Each byte is written once, in order: zeros, and the stores that have pixels when their turn comes."""
    size, begin = np.uint64(flat.itemsize), np.uint64(flat.ctypes.data)
    end = (begin + np.uint64(flat.nbytes)) // _WIDE * _WIDE
    done = start = (begin + _WIDE - _ONE) // _WIDE * _WIDE
    flat[: np.int64((start - begin) // size)] = 0
    flat[np.int64((end - begin) // size) :] = 0
    # What is to stand at `done`, as far as it is known.
    wide = np.zeros(np.int64(_WIDE // size), flat.dtype)
    source = np.uint64(wide.ctypes.data)
    for i in range(len(pairs)):
        one, other = _site(pairs, i, 0, side), _site(pairs, i, 1, side)
        for site in (min(one, other), max(one, other)):
            place = i * sites + site
            address = begin + np.uint64(place) * size
            if address < start or address >= end:
                flat[place] += value
                continue
            if address >= done + _WIDE:
                stream_copy(source, done)
                wide[:] = 0
                done += _WIDE
                while done + _WIDE <= address:
                    stream_zeros(done)
                    done += _WIDE
            wide[np.int64((address - done) // size)] += value
    if done < end:
        stream_copy(source, done)
        done += _WIDE
    while done < end:
        stream_zeros(done)
        done += _WIDE
    write_fence()


@inlined
def _set_pixels(pairs, value, flat, sites, side, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        for pixel in range(2):
            flat[i * sites + _site(pairs, i, pixel, side)] += value


@inlined
def _site(pairs, i, pixel, side):  # type: ignore[no-untyped-def]
    site = pairs[i, pixel, 0]
    for axis in range(1, pairs.shape[2]):
        site = site * side + pairs[i, pixel, axis]
    return site


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
