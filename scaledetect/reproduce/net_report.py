"""Report of one net: D, G, R by layer before and after training, with shuffled channels, and its filter spectra."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from scaledetect._base.arguments import integer, texts
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.images import ImageData
from scaledetect.perturbations.noise import Noise
from scaledetect.probes import FilterSpectrum, filter_spectrum, shuffle_channels
from scaledetect.results import Sensitivities
from scaledetect.sensitivity import image_sensitivities, sensitivities
from scaledetect.task.task import Task

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from scaledetect.sensitivity.image_batches import ImageSource

__all__ = ["NetReport", "net_report"]

CURVES = ("initial", "trained", "shuffled")
IMAGES, DRAWS = 500, 10_000
"""Test images of a data set, as the paper takes; draws on a task."""


@dataclass(frozen=True, eq=False)
class NetReport:
    """What the paper draws of a net.

    Attributes
    ----------
    curves : mapping of str to Sensitivities
        ``"initial"``, where an initial net was given; ``"trained"``; ``"shuffled"``, where a convolution has several
        input channels. All on the same draws.
    spectra : mapping of str to FilterSpectrum
        Filter spectra of the initial and of the trained net; empty without convolutions.
    """

    curves: Mapping[str, Sensitivities]
    spectra: Mapping[str, FilterSpectrum]

    def __repr__(self) -> str:
        return f"<NetReport of {len(self.curves['trained'])} layers: {', '.join(self.curves)}>"

    def to_frame(self) -> pd.DataFrame:
        """One row for each curve and layer.

        Columns `curve`, `layer`, `k` (from 1), `depth` (k/K), D, G, R and their standard errors, and `constant`: the
        share of the constant mode in the filters of that layer, NaN where it has none, or filters of one pixel.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for curve, s in self.curves.items():
            constants = self._constants("trained" if curve == "shuffled" else curve)
            for k, layer in enumerate(s.layers):
                values = {name: getattr(s, name)[k] for q in "DGR" for name in (q, f"{q}_stderr")}
                about = {"curve": curve, "layer": layer, "k": k + 1, "depth": (k + 1) / len(s)}
                rows.append({**about, **values, "constant": constants.get(layer, np.nan)})
        return pd.DataFrame(rows)

    def plot(self, *, title: str = "") -> Figure:
        """D, G, R by layer above, filter spectra below. See `scaledetect.plots.overview`."""
        from scaledetect.plots.overview import plot_net_report

        return plot_net_report(self.curves, self.spectra, title=title)

    def _constants(self, curve: str) -> dict[str, float]:
        """Of each measured layer: that of its last convolution, which is inside it or is the layer itself."""
        spectrum, found = self.spectra.get(curve), dict[str, float]()
        if spectrum is None:
            return found
        for name, constant, alone in zip(spectrum.layers, spectrum.constant, spectrum.pointwise, strict=True):
            for layer in self.curves[curve].layers:
                if not alone and (name == layer or name.startswith(f"{layer}.")):
                    found[layer] = float(constant)
        return found


def net_report(
    net: nn.Module,
    images_or_task: Task | ImageData | ImageSource,
    initial: nn.Module | None = None,
    *,
    n: int | None = None,
    noise: Noise | None = None,
    delta: float | None = None,
    cutoff: int | None = None,
    layers: Iterable[str] | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> NetReport:
    """Measure what the paper draws of a net: D, G, R by layer before and after training, shuffled, and its filters.

    Parameters
    ----------
    net : torch.nn.Module
        A trained net. It is left as it was found.
    images_or_task : Task, ImageData, or tensor or ndarray of shape (n, C, L, L), or batches that can be read again
        What to measure on; of a data set the test images.
    initial : torch.nn.Module, optional
        The net before training, ready to be measured, such as ``run.initial_net(seed)``.
    n : int, optional
        Draws on a task, default 10,000; test images of a data set, default 500, the first ones.
    noise : Noise, optional
        Default: on a task ``Noise()``, on images ``Noise(match="sample")``, as the paper.
    delta, cutoff : optional
        On images: the deformation, as in `scaledetect.image_sensitivities`.
    layers : iterable of str, optional
        As in `scaledetect.sensitivities`.
    seed : int, default 0
        Of the draws, which all curves share, and of the permutations of channels.
    device : torch.device or str, optional

    Returns
    -------
    NetReport

    Raises
    ------
    TypeError, ValueError
        Naming the argument: batches that can be read once only, `delta` or `cutoff` on a task, an initial net whose
        batch norms still have the statistics they were born with; and as the measurements.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, figures 3, 4, 7 and 9.

    Examples
    --------
    >>> import scaledetect as sd
    >>> net = sd.nets.VGG((4, "M", 8), in_channels=1)
    >>> images = torch.rand(60, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    >>> sd.net_report(net, images, initial=sd.nets.VGG((4, "M", 8), in_channels=1, seed=1))
    <NetReport of 3 layers: initial, trained, shuffled>
    """
    nets = _nets(net, initial, seed)
    options: dict[str, Any] = {
        "layers": None if layers is None else texts("layers", layers),
        "seed": seed,
        "device": device,
    }
    deformation = {key: value for key, value in (("delta", delta), ("cutoff", cutoff)) if value is not None}
    if isinstance(images_or_task, Task):
        if deformation:
            raise bad_value(*next(iter(deformation.items())), "goes with images only", "leave it out")
        options["noise"] = Noise() if noise is None else noise
        draws = DRAWS if n is None else n
        curves = {curve: sensitivities(one, images_or_task, draws, **options) for curve, one in nets.items()}
    else:
        images = _images(images_or_task, n)
        options |= {"noise": Noise(match="sample") if noise is None else noise, **deformation}
        curves = {curve: image_sensitivities(one, images, **options) for curve, one in nets.items()}
    has_filters = {curve: one for curve, one in nets.items() if curve != "shuffled" and _convolutions(one)}
    spectra = {curve: filter_spectrum(one) for curve, one in has_filters.items()}
    return NetReport(MappingProxyType(curves), MappingProxyType(spectra))


def _nets(net: nn.Module, initial: nn.Module | None, seed: int) -> dict[str, nn.Module]:
    for name, one in (("net", net), ("initial", initial)):
        if not isinstance(one, nn.Module) and (name == "net" or one is not None):
            raise bad_type(name, type(one).__name__, "must be a torch.nn.Module")
    nets = {} if initial is None else {"initial": initial}
    if initial is not None and any(map(_is_newborn, initial.modules())):
        way_out = "calibrate it with nets.calibrate_batch_norm(initial, training_images)"
        raise bad_value("initial", type(initial).__name__, "has batch norms that have seen no image", way_out)
    nets["trained"] = net
    if any(conv.in_channels > conv.groups for conv in _convolutions(net)):
        nets["shuffled"] = shuffle_channels(net, seed)
    return nets


def _convolutions(net: nn.Module) -> list[nn.Conv1d | nn.Conv2d | nn.Conv3d]:
    return [module for module in net.modules() if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d)]


def _is_newborn(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.num_batches_tracked is not None and not module.num_batches_tracked


def _images(source: Any, n: int | None) -> Any:
    if isinstance(source, ImageData):
        total = len(source.test_images)
        return source.test_images[: min(IMAGES, total) if n is None else integer("n", n, 1, total)]
    if isinstance(source, Iterator):
        raise bad_value(
            "images_or_task", type(source).__name__, "is read once, and each net is measured", "give a list"
        )
    if n is None:
        return source
    if not isinstance(source, Tensor | np.ndarray) or source.ndim == 0:
        raise bad_value("n", n, "goes with a task, a data set or an array of images", "leave it out")
    return source[: integer("n", n, 1, len(source))]
