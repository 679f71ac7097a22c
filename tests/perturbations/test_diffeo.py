"""Diffeomorphisms of images against explicit sums, and against the formulas of their displacement."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from helpers.pictures import pictures
from numpy.typing import NDArray

from scaledetect.perturbations.diffeo import (
    TypicalDisplacement,
    deform,
    diffeo,
    diffeo_coefficients,
    diffeo_temperature_range,
    displacement_field,
    typical_displacement,
)

Array = NDArray[Any]
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def temperature(size: int, cutoff: int, delta: float) -> float:
    return 4 * delta**2 / (math.pi * size**2 * math.log(cutoff))


def naive_field(c: Array, size: int, T: float) -> list[list[float]]:
    """One component in pixels: the sum over modes, pixel by pixel."""
    cutoff = len(c)
    field = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(size):
            u, v = row / (size - 1), column / (size - 1)
            for i in range(1, cutoff + 1):
                for j in range(1, cutoff + 1):
                    if i * i + j * j <= (cutoff + 0.5) ** 2:
                        wave = math.sin(i * math.pi * u) * math.sin(j * math.pi * v)
                        field[row][column] += size * math.sqrt(T) * c[i - 1, j - 1] * wave
    return field


def naive_diffeo(image: Array, c: Array, T: float) -> Array:
    """One image (C, L, L), by indexing, in float64."""
    size = image.shape[-1]
    rows, columns = naive_field(c[0], size, T), naive_field(c[1], size, T)
    out = np.empty(image.shape)
    for r in range(size):
        for s in range(size):
            y, x = min(max(r - rows[r][s], 0.0), size - 1.0), min(max(s - columns[r][s], 0.0), size - 1.0)
            top, left = min(int(y), size - 2), min(int(x), size - 2)
            a, b = y - top, x - left
            for channel, pixels in enumerate(image.astype(np.float64)):
                upper = (1 - b) * pixels[top, left] + b * pixels[top, left + 1]
                lower = (1 - b) * pixels[top + 1, left] + b * pixels[top + 1, left + 1]
                out[channel, r, s] = (1 - a) * upper + a * lower
    return out


@pytest.mark.parametrize(("size", "cutoff", "delta"), [(32, 3, 1.0), (32, 3, 3.3), (17, 5, 0.9), (8, 2, 0.5)])
def test_equal_to_a_loop_with_the_same_coefficients(size: int, cutoff: int, delta: float, dtype: str) -> None:
    images = pictures(4, 3, size, size, dtype=dtype)
    coefficients = diffeo_coefficients(4, cutoff=cutoff, seed=7)
    T = temperature(size, cutoff, delta)
    expected = [naive_diffeo(x, c, T) for x, c in zip(images, coefficients, strict=True)]
    deformed = diffeo(images, delta=delta, cutoff=cutoff, seed=7)
    tolerance = 1e-12 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(deformed, expected, rtol=0, atol=tolerance)
    assert np.abs(deformed - images).max() > 0.1


def test_equal_to_a_loop_on_large_images() -> None:
    images = pictures(1, 1, 128, 128)
    expected = naive_diffeo(images[0], diffeo_coefficients(1)[0], temperature(128, 3, 5.0))
    np.testing.assert_allclose(diffeo(images, delta=5.0)[0], expected, rtol=0, atol=2e-6)


def test_the_kernel_agrees_with_the_differentiable_path() -> None:
    images = torch.from_numpy(pictures(60, 3, 32, 32, dtype="float64"))
    for delta in (0.5, 1.0, 3.39):
        graph = diffeo(images.requires_grad_(), delta=delta)
        assert graph.requires_grad
        plain = diffeo(images.detach(), delta=delta)
        assert not plain.requires_grad
        torch.testing.assert_close(graph.detach(), plain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_threads_change_nothing(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(300, 1, 32, 32)
    whole = diffeo(images)
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", threads)
    np.testing.assert_array_equal(diffeo(images), whole)


def test_the_field_is_the_sum_over_modes() -> None:
    coefficients = diffeo_coefficients(2, cutoff=4, seed=1)
    T = temperature(16, 4, 1.2)
    fields = displacement_field(coefficients, 16, temperature=T)
    expected = [[naive_field(c, 16, T) for c in pair] for pair in coefficients]
    np.testing.assert_allclose(fields, expected, rtol=0, atol=1e-13)


def test_the_field_is_zero_at_the_border() -> None:
    fields = displacement_field(diffeo_coefficients(20), 32, temperature=temperature(32, 3, 2.0))
    edges = [fields[..., 0, :], fields[..., -1, :], fields[..., :, 0], fields[..., :, -1]]
    assert all((edge == 0).all() for edge in edges)
    assert np.abs(fields[..., 1, 1]).min() > 0


def test_the_border_stays_where_it_is() -> None:
    images = pictures(5, 1, 32, 32, dtype="float64")
    deformed = diffeo(images, delta=3.0)
    for edge in (np.s_[..., 0, :], np.s_[..., -1, :], np.s_[..., :, 0], np.s_[..., :, -1]):
        np.testing.assert_allclose(deformed[edge], images[edge], rtol=0, atol=1e-12)


def test_coefficients_fill_the_disc_with_their_variance() -> None:
    n, cutoff = 20_000, 4
    c = diffeo_coefficients(n, cutoff=cutoff, seed=3)
    for i in range(1, cutoff + 1):
        for j in range(1, cutoff + 1):
            drawn = c[:, :, i - 1, j - 1]
            if i * i + j * j > 20.25:
                assert (drawn == 0).all()
                continue
            variance = 1 / (i * i + j * j)
            assert abs(drawn.mean()) / math.sqrt(variance / drawn.size) < 5
            assert abs((drawn**2).mean() - variance) / (variance * math.sqrt(2 / drawn.size)) < 5
    assert abs((c[:, 0, 0, 0] * c[:, 1, 0, 0]).mean()) / (0.5 / math.sqrt(n)) < 5


@pytest.mark.parametrize(("size", "cutoff", "delta"), [(32, 3, 1.0), (32, 10, 0.7), (9, 2, 0.6)])
def test_the_variance_of_the_displacement_is_its_formula(size: int, cutoff: int, delta: float) -> None:
    n, T = 4000, temperature(size, cutoff, delta)
    fields = displacement_field(diffeo_coefficients(n, cutoff=cutoff, seed=5), size, temperature=T)
    per_image = (fields**2).sum(axis=1).mean(axis=(1, 2))
    expected = typical_displacement(size, temperature=T, cutoff=cutoff)
    assert abs(per_image.mean() - expected.rms**2) / (per_image.std(ddof=1) / math.sqrt(n)) < 5
    assert expected.delta == pytest.approx(delta, rel=1e-12)
    # At one pixel, written out: the variance of one component.
    row, column = size // 2, size // 3
    u, v = row / (size - 1), column / (size - 1)
    modes = [(i, j) for i in range(1, 99) for j in range(1, 99) if i * i + j * j <= (cutoff + 0.5) ** 2]
    waves = sum((math.sin(i * math.pi * u) * math.sin(j * math.pi * v)) ** 2 / (i * i + j * j) for i, j in modes)
    at_pixel = fields[:, :, row, column].ravel()
    variance = size**2 * T * waves
    assert abs((at_pixel**2).mean() - variance) / (variance * math.sqrt(2 / (2 * n))) < 5


def test_nominal_displacement_is_asymptotic() -> None:
    moved = typical_displacement(10_000, temperature=temperature(10_000, 3, 1.0), cutoff=3)
    assert isinstance(moved, TypicalDisplacement)
    assert moved.delta == pytest.approx(1.0, rel=1e-12)
    assert moved.rms == pytest.approx(0.84, abs=0.005)
    ratios = [
        typical_displacement(10_000, temperature=temperature(10_000, c, 1.0), cutoff=c).rms for c in (3, 30, 300, 3000)
    ]
    assert ratios == sorted(ratios)
    assert 0.95 < ratios[-1] < 1


def test_temperature_range() -> None:
    low, high = diffeo_temperature_range(32, 3)
    assert low == pytest.approx(temperature(32, 3, 0.5), rel=1e-12)
    assert high == pytest.approx(temperature(32, 3, 32 / (math.pi * 3)), rel=1e-12)
    for cutoff in range(2, 21):
        low, high = diffeo_temperature_range(32, cutoff)
        assert low < high
    # Both ends are allowed, in either form.
    image = pictures(32, 32)
    for strength in ({"temperature": low}, {"temperature": high}, {"delta": 0.5}, {"delta": 32 / (math.pi * 20)}):
        diffeo(image, cutoff=20, **strength)  # type: ignore[arg-type]


def test_an_image_is_the_same_in_any_batch() -> None:
    images = pictures(700, 1, 32, 32)
    whole = diffeo(images, seed=2)
    for start, stop in ((0, 1), (3, 300), (699, 700)):
        np.testing.assert_array_equal(diffeo(images[start:stop], seed=2, start=start), whole[start:stop])
    same = diffeo(np.repeat(images[:1], 3, axis=0), seed=2)
    assert len(np.unique(same, axis=0)) == 3


def test_channels_share_the_field_and_leading_axes_count_images() -> None:
    images = pictures(2, 5, 1, 16, 16)
    by_axes = diffeo(images, delta=0.8)
    np.testing.assert_array_equal(by_axes.reshape(10, 1, 16, 16), diffeo(images.reshape(10, 1, 16, 16), delta=0.8))
    image = pictures(16, 16)
    three = diffeo(np.stack([image] * 3), delta=0.8)
    for channel in three:
        np.testing.assert_array_equal(channel, diffeo(image, delta=0.8))
    np.testing.assert_array_equal(diffeo(np.stack([image] * 3)[None], delta=0.8)[0], three)


def test_the_strength_is_temperature_or_delta() -> None:
    image = pictures(32, 32)
    np.testing.assert_array_equal(diffeo(image), diffeo(image, delta=1.0))
    np.testing.assert_array_equal(diffeo(image, temperature=temperature(32, 3, 2.0)), diffeo(image, delta=2.0))
    seeds = [diffeo(image, seed=seed) for seed in (0, 1)]
    assert np.abs(seeds[0] - seeds[1]).max() > 0.1


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numpy_and_torch_agree_and_keep_the_dtype(dtype: str) -> None:
    images = pictures(3, 2, 20, 20, dtype=dtype)
    before = images.copy()
    from_numpy = diffeo(images, seed=4)
    from_torch = diffeo(torch.from_numpy(images), seed=4)
    assert isinstance(from_torch, torch.Tensor)
    assert from_numpy.dtype == images.dtype
    assert from_torch.dtype == torch.from_numpy(images).dtype
    np.testing.assert_array_equal(from_numpy, from_torch.numpy())
    np.testing.assert_array_equal(images, before)
    assert diffeo(torch.from_numpy(images).bfloat16() if dtype == "float16" else from_torch).shape == images.shape


def test_odd_memory_layouts() -> None:
    images = pictures(6, 16, 16, 3)
    expected = diffeo(np.ascontiguousarray(images.transpose(0, 3, 1, 2)), delta=0.8)
    np.testing.assert_array_equal(diffeo(images.transpose(0, 3, 1, 2), delta=0.8), expected)
    np.testing.assert_array_equal(diffeo(torch.from_numpy(images).permute(0, 3, 1, 2), delta=0.8).numpy(), expected)
    frozen = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    frozen.flags.writeable = False
    np.testing.assert_array_equal(diffeo(frozen, delta=0.8), expected)
    assert diffeo(images[:0].transpose(0, 3, 1, 2), delta=0.8).shape == (0, 3, 16, 16)


def test_gradient() -> None:
    images = torch.from_numpy(pictures(2, 2, 6, 6, dtype="float64")).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: diffeo(x, delta=0.6, cutoff=3), (images,))


def test_gradient_over_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.from_numpy(pictures(7, 1, 16, 16, dtype="float64")).requires_grad_()
    weights = torch.from_numpy(pictures(7, 1, 16, 16, dtype="float64", seed=1))
    (whole,) = torch.autograd.grad((weights * diffeo(images, delta=0.8)).sum(), images)
    monkeypatch.setattr("scaledetect.perturbations.diffeo.warp.CHUNK", 2 * 256)
    (parts,) = torch.autograd.grad((weights * diffeo(images, delta=0.8)).sum(), images)
    assert torch.equal(parts, whole)
    with torch.no_grad():
        assert not diffeo(images, delta=0.8).requires_grad
        half = diffeo(images.half(), delta=0.8)
    np.testing.assert_allclose(half.numpy(), diffeo(images.detach().numpy(), delta=0.8), rtol=0, atol=0.01)


def test_deform_takes_the_field() -> None:
    images = pictures(4, 3, 32, 32)
    field = displacement_field(diffeo_coefficients(4, seed=9), 32, temperature=temperature(32, 3, 1.0))
    np.testing.assert_allclose(deform(images, field), diffeo(images, seed=9), rtol=0, atol=2e-6)
    moved = deform(torch.from_numpy(images), torch.from_numpy(field).requires_grad_())
    assert moved.requires_grad
    np.testing.assert_allclose(moved.detach().numpy(), diffeo(images, seed=9), rtol=0, atol=2e-6)
    # Row r gets what row r - 2 held, rows below the first stay clamped to it.
    down = np.stack([np.full((32, 32), 2.0), np.zeros((32, 32))])
    shifted = deform(images[0], down)
    np.testing.assert_allclose(shifted[:, 2:], images[0][:, :-2], rtol=0, atol=1e-6)
    np.testing.assert_allclose(shifted[:, 1], images[0][:, 0], rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match=r"field=.array of shape \(2, 32, 32\).*must have shape \(4, 2, 32, 32\)"):
        deform(images, down)
    with pytest.raises(TypeError, match=r"field='Tensor'.*kind of images"):
        deform(images, torch.from_numpy(field))  # type: ignore[call-overload]


GOOD = pictures(2, 1, 32, 32)


@pytest.mark.parametrize(
    ("images", "kind", "message"),
    [
        (pictures(2, 1, 32, 31), ValueError, r"\(2, 1, 32, 31\).*must be square"),
        (pictures(32), ValueError, r"must have shape \(L, L\), \(C, L, L\)"),
        (pictures(100, 8, 8), ValueError, r"at most 4 channels.*images\[:, None\]"),
        (GOOD.astype(np.int64), TypeError, "int64.*must be float16, float32 or float64"),
        (torch.zeros(1, 8, 8, dtype=torch.uint8), TypeError, "uint8.*must be floating"),
        (torch.zeros(1, 8, 8, dtype=torch.complex64), TypeError, "complex64.*must be floating"),
        (np.where(GOOD > 3, np.nan, GOOD), ValueError, r"\d of 2048 values are NaN or infinite"),
        (torch.full((1, 8, 8), math.inf), ValueError, "64 of 64 values are NaN or infinite"),
        (GOOD.tolist(), TypeError, "images='list'.*must be a NumPy array or a torch tensor"),
        (pictures(1, 3, 3), ValueError, "size=3.*at least 4 pixels"),
    ],
)
def test_bad_images(images: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        diffeo(images)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"cutoff": 1}, ValueError, "cutoff=1.*at least 2"),
        ({"cutoff": 2.0}, TypeError, "cutoff=2.0.*integer"),
        ({"cutoff": True}, TypeError, "cutoff=True"),
        ({"cutoff": 21}, ValueError, "cutoff=21.*20 for L=32"),
        ({"temperature": 1e-5}, ValueError, r"temperature=1e-05.*from 0.000282\d+ to 0.0130\d+ for L=32, cutoff=3"),
        ({"temperature": 0.1}, ValueError, "temperature=0.1"),
        ({"temperature": 0.0}, ValueError, "temperature=0.0.*positive"),
        ({"temperature": "hot"}, TypeError, "temperature='hot'"),
        ({"temperature": 0.001, "delta": 1.0}, ValueError, "delta=1.0.*temperature=0.001.*give one"),
        ({"delta": 0.4}, ValueError, r"delta=0.4.*from 0.5 to L / \(pi cutoff\) = 3.39"),
        ({"delta": 3.5}, ValueError, "delta=3.5"),
        ({"delta": math.nan}, ValueError, "delta=nan.*finite"),
        ({"seed": -1}, ValueError, "seed=-1"),
        ({"seed": 0.5}, TypeError, "seed=0.5"),
        ({"start": -1}, ValueError, "start=-1"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        diffeo(GOOD, **arguments)


def test_bad_sizes_and_coefficients() -> None:
    with pytest.raises(ValueError, match=r"size=3.*at least 4"):
        diffeo_temperature_range(3, 2)
    with pytest.raises(TypeError, match=r"size=32\.0"):
        diffeo_temperature_range(32.0, 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"temperature=1.*from"):
        typical_displacement(32, temperature=1.0)
    with pytest.raises(ValueError, match=r"coefficients.*\(\.\.\., c, c\)"):
        displacement_field(np.zeros((2, 3)), 32, temperature=0.001)
    with pytest.raises(TypeError, match="coefficients='list'"):
        displacement_field([[0.0]], 32, temperature=0.001)  # type: ignore[type-var]
    with pytest.raises(ValueError, match="n=-1"):
        diffeo_coefficients(-1)


def test_large_values_are_not_taken_for_infinite() -> None:
    images = np.full((4, 1, 32, 32), 3e38, dtype=np.float32)
    np.testing.assert_allclose(diffeo(images), images, rtol=1e-6)


@CUDA
def test_a_gpu_gets_the_same_fields() -> None:
    images = torch.from_numpy(pictures(50, 3, 32, 32))
    deformed = diffeo(images.cuda(), seed=1)
    assert deformed.is_cuda
    torch.testing.assert_close(deformed.cpu(), diffeo(images, seed=1), rtol=0, atol=2e-6)
