"""White noise added to an image: its modes, and the matching of its strength to the deformation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scaledetect._base.arguments import intensity, one_of
from scaledetect._base.errors import bad_value

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["NOISE_MODES", "Noise", "NoiseMatch", "NoiseMode", "add_noise", "norms", "rescale"]

NoiseMode = Literal["signed", "rectified_noise", "rectified_input"]
NoiseMatch = Literal["ensemble", "sample"]
NOISE_MODES: tuple[NoiseMode, ...] = ("signed", "rectified_noise", "rectified_input")


@dataclass(frozen=True)
class Noise:
    """White Gaussian noise eta ~ N(0, sigma^2) per pixel, matched in strength to the deformation.

    Parameters
    ----------
    mode : {"signed", "rectified_noise", "rectified_input"}, default "signed"
        What becomes of image x: ``x + eta``, ``x + ReLU(eta)`` (the paper's one-dimensional code) or ``ReLU(x + eta)``.
    match : {"ensemble", "sample"}, default "ensemble"
        ``"ensemble"``: sigma^2 = E|tau x - x|^2 / N, the exact value for tasks. ``"sample"``: eta is rescaled, before
        any rectification, to |eta| = |tau x - x| image by image.
    sigma : float, optional
        Standard deviation per pixel, 1e-50 to 1e50; given, it replaces the matching.

    Raises
    ------
    TypeError, ValueError
        For an unknown mode, a sigma that is not positive, or a sigma together with ``match="sample"``.

    Examples
    --------
    >>> from scaledetect import Noise
    >>> Noise(mode="rectified_noise", sigma=0.5)
    Noise(mode='rectified_noise', match='ensemble', sigma=0.5)
    """

    mode: NoiseMode = "signed"
    match: NoiseMatch = "ensemble"
    sigma: float | None = None

    def __post_init__(self) -> None:
        one_of("mode", self.mode, NOISE_MODES)
        one_of("match", self.match, ("ensemble", "sample"))
        if self.sigma is None:
            return
        sigma = intensity("sigma", self.sigma, kind="a positive number, or None to match the deformation")
        if self.match == "sample":
            raise bad_value(
                "match", self.match, f"rescales every image, and sigma={self.sigma!r} fixes the strength", "give one"
            )
        object.__setattr__(self, "sigma", sigma)


def add_noise(clean: Tensor, noise: Tensor, mode: NoiseMode) -> Tensor:
    """`clean` with `noise` of final strength added in the way of `mode`, in the memory of the noise."""
    if mode == "rectified_noise":
        noise.relu_()
    noise.add_(clean)
    return noise.relu_() if mode == "rectified_input" else noise


def norms(images: Tensor) -> Tensor:
    """Euclidean norm of each image over all its pixels and channels, float64, shape (n, 1, ..., 1)."""
    import torch

    axes = tuple(range(1, images.ndim))
    found: Tensor = torch.linalg.vector_norm(images, dim=axes, keepdim=True, dtype=torch.float64)
    return found


def rescale(noise: Tensor, to: Tensor) -> None:
    """Scale each image of `noise` in place to the norm `to`, shape (n, 1, ..., 1)."""
    noise.mul_((to / norms(noise)).to(noise.dtype))
