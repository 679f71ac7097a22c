"""D and G of a deep net on images, by layer, against the published definition, image by image.

Petrini, Favero, Geiger, Wyart, arXiv 2105.02468: D = E|f(tau x) - f(x)|^2 / E|f(x_1) - f(x_2)|^2, G with noise of the
norm of tau x - x in place of the deformation; averages over images, the denominator over all pairs of different ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.nets import VGG, ResNet, calibrate_batch_norm

N, SEED = 60, 5


def pictures() -> Tensor:
    """Smooth random images of three channels, 32 x 32, as natural ones are."""
    rng = np.random.default_rng(0)
    waves = 1 / (1 + np.add.outer(np.fft.fftfreq(32, 1 / 32) ** 2, np.fft.rfftfreq(32, 1 / 32) ** 2))
    spectrum = waves * (rng.normal(size=(N, 3, 32, 17)) + 1j * rng.normal(size=(N, 3, 32, 17)))
    x = np.fft.irfft2(spectrum, s=(32, 32))
    return torch.from_numpy((x / x.std()).astype(np.float32))


@pytest.fixture(scope="module")
def images() -> Tensor:
    return pictures()


NETS: dict[str, Callable[[], nn.Module]] = {
    "vgg": lambda: VGG((8, "M", 12, "M", 16), batch_norm=True),
    "resnet": lambda: ResNet((1, 1, 1, 1), width=0.1),
}


def activations(net: nn.Module, image: Tensor) -> dict[str, NDArray[np.float64]]:
    """Every layer that counts, of one image, as a vector."""
    found: dict[str, NDArray[np.float64]] = {}
    hooks = [
        net.get_submodule(layer).register_forward_hook(
            lambda _m, _x, y, layer=layer: found.update({layer: y.double().numpy().ravel()})
        )
        for layer in net.sensitivity_layers  # type: ignore[union-attr]
        if layer != "output"
    ]
    with torch.no_grad():
        found["output"] = net(image[None]).double().numpy().ravel()
    for hook in hooks:
        hook.remove()
    return found


def naive(net: nn.Module, versions: dict[str, Tensor]) -> dict[str, dict[str, float]]:
    """D and G of each layer, by loops over images and over pairs of them."""
    f = {kind: [activations(net, image) for image in batch] for kind, batch in versions.items()}
    result: dict[str, dict[str, float]] = {}
    for layer in f["clean"][0]:
        x = [one[layer] for one in f["clean"]]
        pairs = [((x[i] - x[j]) ** 2).sum() for i in range(N) for j in range(i)]
        moved = {k: [((f[k][i][layer] - x[i]) ** 2).sum() for i in range(N)] for k in ("deformed", "noisy")}
        scale = float(np.mean(pairs))
        result[layer] = {"D": float(np.mean(moved["deformed"])) / scale, "G": float(np.mean(moved["noisy"])) / scale}
    return result


@pytest.mark.parametrize("name", list(NETS))
def test_D_and_G_by_layer_are_those_of_the_published_definition(name: str, images: Tensor) -> None:
    net: Any = calibrate_batch_norm(NETS[name](), images).eval()
    seen: list[Tensor] = []
    hook = net.register_forward_pre_hook(lambda _module, args: seen.append(args[0].detach().clone()))
    s = sd.image_sensitivities(net, images, delta=1.0, cutoff=3, noise=sd.Noise(match="sample"), seed=SEED)
    hook.remove()
    given = torch.cat(seen)
    deformed = sd.diffeo(images, delta=1.0, cutoff=3, seed=SEED)
    noisy = _noisy(images, deformed, given)
    found = naive(net, {"clean": images, "deformed": deformed, "noisy": noisy})
    assert list(s.layers) == list(found)
    np.testing.assert_allclose(s.D, [found[layer]["D"] for layer in s.layers], rtol=2e-5)
    np.testing.assert_allclose(s.G, [found[layer]["G"] for layer in s.layers], rtol=2e-5)
    np.testing.assert_allclose(s.R, [found[layer]["D"] / found[layer]["G"] for layer in s.layers], rtol=4e-5)


def _noisy(images: Tensor, deformed: Tensor, given: Tensor) -> Tensor:
    """The noisy version of each image among all that the net was given: the one at the distance of its deformation."""
    found = []
    for image, moved in zip(images, deformed, strict=True):
        distance = (moved - image).norm()
        gaps = (given - image).flatten(1).norm(dim=1)
        same = [x for x, gap in zip(given, gaps, strict=True) if abs(gap / distance - 1) < 1e-4]
        (noisy,) = {x.numpy().tobytes(): x for x in same if not torch.equal(x, moved)}.values()
        eta = (noisy - image).flatten()
        # White: neighbours along a row are uncorrelated, within five standard errors of 3072 values.
        step = (noisy - image)[..., 1:] * (noisy - image)[..., :-1]
        assert abs(float(step.mean() / eta.square().mean())) < 5 / math.sqrt(step.numel())
        found.append(noisy)
    return torch.stack(found)
