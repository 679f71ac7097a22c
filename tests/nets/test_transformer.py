"""The transformer: held to a naive version image by image, what does not change its output, and its size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import scaledetect as sd
from scaledetect.nets.transformer import Transformer

WIDTH = 8
HEADS = 2


def built(size: int, dim: int, patch: int, *, axial: bool = False) -> Transformer:
    options: dict[str, Any] = {"depth": 2, "width": WIDTH, "heads": HEADS, "n_classes": 2, "seed": 3}
    net = Transformer(size, dim=dim, patch=patch, axial=axial, **options).double()
    with torch.no_grad():  # attention that is far from uniform, and norms that are not the identity
        for parameter in net.parameters():
            parameter.add_(
                0.5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
            )
    return net.eval()


def images(size: int, dim: int) -> NDArray[np.float64]:
    """Noise on all pixels, one or two lit pixels, and an empty image."""
    rng = np.random.default_rng(0)
    X = np.zeros((4, size**dim))
    X[0] = rng.standard_normal(size**dim)
    X[1, [1, 6]] = 2.0
    X[2, 5] = -1.0
    return X.reshape(4, 1, *[size] * dim)


# ---------------------------------------------------------------------- the naive version: all patches, no masks


Weights = dict[str, NDArray[np.float64]]


def norm(x: NDArray[np.float64], w: Weights, name: str) -> NDArray[np.float64]:
    centred = x - x.mean()
    scaled = centred / math.sqrt((centred**2).mean() + 1e-5)
    return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"])


def linear(x: NDArray[np.float64], w: Weights, name: str) -> NDArray[np.float64]:
    return np.asarray(w[f"{name}.weight"] @ x + w[f"{name}.bias"])


def gelu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([value * (1 + math.erf(value / math.sqrt(2))) / 2 for value in x])


def block(tokens: list[NDArray[np.float64]], shares: list[float], w: Weights, name: str) -> list[NDArray[np.float64]]:
    projected = [linear(norm(t, w, f"{name}.attention_norm"), w, f"{name}.query_key_value") for t in tokens]
    side, out = WIDTH // HEADS, []
    for token, mine in zip(tokens, projected, strict=True):
        attended = []
        for head in range(HEADS):
            at = slice(head * side, (head + 1) * side)
            # Each token counts e^score times its share of the energy: none where the share is 0.
            counts = [
                share * math.exp(mine[:WIDTH][at] @ other[WIDTH : 2 * WIDTH][at] / math.sqrt(side))
                for share, other in zip(shares, projected, strict=True)
            ]
            values = [count * other[2 * WIDTH :][at] for count, other in zip(counts, projected, strict=True)]
            attended.append(sum(values) / sum(counts))
        token = token + linear(np.concatenate(attended), w, f"{name}.mix")
        hidden = gelu(linear(norm(token, w, f"{name}.norm"), w, f"{name}.token_wise.0"))
        out.append(token + linear(hidden, w, f"{name}.token_wise.2"))
    return out


def naive(net: Transformer, image: NDArray[np.float64]) -> NDArray[np.float64]:
    w = {name: value.numpy() for name, value in net.state_dict().items()}
    total = float((image**2).sum())
    tokens, shares = [w["class_position"]], [1.0]
    starts = [range(0, net.size, net.patch)] * net.dim
    for place, corner in enumerate(np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, net.dim)):
        patch = image[tuple(slice(start, start + net.patch) for start in corner)].ravel()
        shares.append(float((patch**2).sum()) / total if total else 0.0)
        scaled = patch / math.sqrt(total) if total else patch
        if len(w["positions"]) == 1:
            position = w["positions"][0, place]
        else:
            position = sum(w["positions"][axis, start // net.patch] for axis, start in enumerate(corner))
        tokens.append(w["embedding.weight"] @ scaled + position)
    for k in range(2):
        tokens = block(tokens, shares, w, f"blocks.{k}")
    return linear(norm(tokens[0], w, "class_token"), w, "output")


@pytest.mark.parametrize("axial", [False, True])
@pytest.mark.parametrize(("size", "dim", "patch"), [(8, 1, 1), (8, 1, 2), (4, 2, 2), (6, 2, 2), (2, 3, 1)])
def test_it_is_what_the_naive_version_says(size: int, dim: int, patch: int, axial: bool) -> None:
    net, X = built(size, dim, patch, axial=axial), images(size, dim)
    with torch.no_grad():
        found = net(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(found, [naive(net, image[0]) for image in X], rtol=1e-9)
    assert np.ptp(found, axis=0).min() > 1e-3  # it tells these images apart


# ---------------------------------------------------------------------- what does not change the output


def test_neither_a_factor_nor_other_images_change_the_output() -> None:
    net, X = built(8, 1, 1), torch.from_numpy(images(8, 1))
    with torch.no_grad():
        together = net(X)
        torch.testing.assert_close(net(37.0 * X), together)
        torch.testing.assert_close(torch.cat([net(one[None]) for one in X]), together)
        assert net(X[:0]).shape == (0, 2)


def test_a_faint_pixel_has_little_weight_and_a_shift_changes_the_output() -> None:
    net, X = built(8, 1, 1), torch.from_numpy(images(8, 1))[1:2]
    faint = X.clone()
    faint[0, 0, 3] = 1e-4
    with torch.no_grad():
        torch.testing.assert_close(net(faint), net(X), rtol=1e-5, atol=1e-5)
        assert not torch.allclose(net(X.roll(1, -1)), net(X), rtol=1e-2)


# ---------------------------------------------------------------------- size, and what is refused


def test_its_size_derived_by_hand() -> None:
    net = sd.nets.get("transformer", size=64)
    # Positions 64 * 64 and 64, embedding 64. A block: 64 * 192 + 192, 64 * 64 + 64, 64 * 128 + 128, 128 * 64 + 64, and
    # two norms of 128. The last norm 128, the output 65.
    block_size = 12480 + 4160 + 8320 + 8256 + 256
    assert sum(p.numel() for p in net.parameters()) == 4096 + 64 + 64 + 2 * block_size + 128 + 65


BAD: list[tuple[dict[str, Any], str]] = [
    ({"size": 9, "patch": 2}, "patch=2: must divide the size 9"),
    ({"size": 8, "width": 10}, "width=10: must be a multiple of the 4 heads"),
    ({"size": 256, "dim": 2}, "size=256: makes 65536 tokens, above 16384; take larger patches"),
    ({"size": 0}, "size=0"),
    ({"size": 8, "dim": 4}, "dim=4"),
    ({"size": 8, "depth": 0}, "depth=0"),
    ({"size": 8, "n_classes": 0}, "n_classes=0"),
]


@pytest.mark.parametrize(("options", "said"), BAD)
def test_bad_sizes_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as caught:
        Transformer(**options)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("shape", [(2, 1, 9), (2, 2, 8), (2, 1, 8, 8), (8,)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="takes images of shape"):
        built(8, 1, 1)(torch.zeros(shape, dtype=torch.float64))
