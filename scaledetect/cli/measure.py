"""``scaledetect measure``: the measured sensitivities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from scaledetect._base.errors import bad_type, bad_value
from scaledetect.cli.measure_probes import measure_probes
from scaledetect.cli.options import (
    AsJson,
    Depth,
    FilterSize,
    Match,
    Mode,
    OutputFile,
    Seed,
    Sigma,
    Stride,
    listed,
    nets_of,
    noise_of,
    print_json,
    result_file,
)
from scaledetect.cli.train_images import Root, load_images

if TYPE_CHECKING:
    from torch import Tensor, nn

    from scaledetect.images.datasets import ImageData
    from scaledetect.task.cards import Card

FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "flatten": lambda x: x.flatten(1),
    "squeeze": lambda x: x.squeeze(1),
    "tokens": lambda x: x.flatten(2).transpose(1, 2),
    "rgb": lambda x: x.expand(-1, 3, *x.shape[2:]),
}
"""Forms of images (n, C, L, ...): (n, C L ...), (n, L, ...), (n, L ..., C), and one channel taken three times."""

Source = Annotated[
    str | None,
    typer.Argument(
        metavar="NET",
        help="Name of a net, module:callable, or a file (.pt) of train or of weights; default: nets of the card.",
    ),
]
TaskName = Annotated[str | None, typer.Option("--task", metavar="CARD", help="Card of the task to measure on.")]
ImagesName = Annotated[
    str | None, typer.Option("--images", metavar="NAME", help="Data set to measure on: its test set.")
]
Architecture = Annotated[str | None, typer.Option(metavar="NET", help="The net that weights belong to.")]
Number = Annotated[int | None, typer.Option("--n", help="Draws (default 10000), or test images (default all).")]
Delta = Annotated[float | None, typer.Option(help="With --images: displacement by the deformation, pixels.")]
Cutoff = Annotated[int | None, typer.Option(help="With --images: largest wave number of the deformation.")]
Layers = Annotated[
    str | None,
    typer.Option(help='Names or patterns with commas between them, as in layer1,"block*"; or blocks: the top ones.'),
]
PrepareName = Annotated[
    str | None,
    typer.Option(
        "--prepare",
        metavar="FORM",
        help=f"What the net takes: {', '.join(FORMS)}, or module:callable from images to it.",
    ),
]
Probes = Annotated[
    bool,
    typer.Option("--probes", help="Also with shuffled channels, and the share of the constant in the filters."),
]
ChannelMean = Annotated[bool, typer.Option("--channel-mean", help="Average each layer over its channels first.")]

CALIBRATION_ROWS = 1024
"""Training rows of a card that batch norms are calibrated on."""


def measure(
    net: Source = None,
    task: TaskName = None,
    images: ImagesName = None,
    root: Root = None,
    architecture: Architecture = None,
    filter_size: FilterSize = None,
    stride: Stride = None,
    depth: Depth = None,
    n: Number = None,
    noise: Mode = "signed",
    match: Match = "ensemble",
    sigma: Sigma = None,
    delta: Delta = None,
    cutoff: Cutoff = None,
    layers: Layers = None,
    prepare: PrepareName = None,
    channel_mean: ChannelMean = False,
    probes: Probes = False,
    seed: Seed = None,
    output: OutputFile = None,
    as_json: AsJson = False,
) -> None:
    """Measured D, G, R of a net on a task or on images; default: constant-filter nets, those of the card."""
    from scaledetect.cli.tables import print_sensitivities, progress
    from scaledetect.nets import names

    where, nets = _place_and_nets(net, task, images, root, architecture, (filter_size, stride, depth))
    deformation = {key: value for key, value in (("delta", delta), ("cutoff", cutoff)) if value is not None}
    if task is not None and deformation:
        raise bad_value(*next(iter(deformation.items())), "goes with --images only", "leave it out")
    if net is not None and net in names():
        nets = {label: _calibrated(module, where) for label, module in nets.items()}
    if probes:
        if prepare is not None or channel_mean or len(nets) > 1:
            text = "takes one net as it is, without --prepare and --channel-mean"
            raise bad_value("probes", True, text, f"name one; there are {', '.join(nets)}")
        ((label, module),) = nets.items()
        asked = noise_of(noise, match, sigma) if (noise, match, sigma) != ("signed", "ensemble", None) else None
        report: dict[str, Any] = {"n": n, "noise": asked, "layers": listed(layers), "seed": seed or 0, **deformation}
        measure_probes(label, module, where, report, output, as_json=as_json)
        return
    path = None if output is None else result_file(output)
    if path is not None and len(nets) > 1:
        way_out = f"name one net; {where.name} has {', '.join(nets)}"
        raise bad_value("output", str(output), "takes one measurement", way_out)
    options: dict[str, Any] = {"noise": noise_of(noise, match, sigma), "channel_mean": channel_mean, **deformation}
    options |= {"layers": "blocks" if layers == "blocks" else listed(layers), "prepare": _form(prepare)}
    seen = {}
    with progress("measuring", len(nets)) as bar:
        for label, module in nets.items():
            seen[label] = _measure(module, where, n, seed, options)
            bar.step(label)
    if path is not None:
        next(iter(seen.values())).save(path)
    if as_json:
        print_json({label: s.to_dict() for label, s in seen.items()})
    else:
        title = getattr(where, "display_name", where.name)
        print_sensitivities(f"{title}: measured, {noise} noise, n = {next(iter(seen.values())).n}", seen)


def _form(name: str | None) -> Callable[[Tensor], Tensor] | None:
    """The function of a form, or one's own."""
    from scaledetect._base.import_by_name import locate

    if name is None or name in FORMS:
        return FORMS.get(name or "")
    if ":" not in name:
        way_out = "name your own as module:callable"
        raise bad_value("prepare", name, f"is none of {', '.join(FORMS)}", way_out)
    found = locate(name)
    if not callable(found):
        raise bad_type("prepare", name, "must be a function from a batch of images to what the net takes")
    return cast("Callable[[Tensor], Tensor]", found)


def _place_and_nets(
    net: str | None,
    task: str | None,
    images: str | None,
    root: Path | None,
    architecture: str | None,
    filters: tuple[str | None, str | None, int | None],
) -> tuple[Card | ImageData, dict[str, nn.Module]]:
    """What to measure on, and the nets by their labels."""
    from scaledetect.task.cards import load_card
    from scaledetect.training.find_net import find_net

    if (task is None) == (images is None):
        raise bad_value("task", task, "give exactly one of --task CARD and --images NAME")
    if any(option is not None for option in filters) and not (images is None and net in (None, "constant_filter")):
        way_out = "leave them out"
        raise bad_value("net", net, "--filter-size, --stride, --depth go with constant_filter and --task", way_out)
    if task is not None:
        card = load_card(task)
        if net in (None, "constant_filter") and architecture is None:
            return card, dict(_constant(card, filters, own=net is None))
        if net is None:
            raise bad_value("architecture", architecture, "goes with a file of weights (.pt or .pth)", "name it first")
        return card, {net: find_net(net, architecture=architecture, **_shape(net, architecture, card.task.dim, 1, 2))}
    if net is None:
        raise bad_value("net", net, "a data set has no nets of its own", "name one, as in measure NET --images NAME")
    data = load_images(images or "", root)
    shape = _shape(net, architecture, 2, data.train_images.shape[1], len(data.classes))
    return data, {net: find_net(net, architecture=architecture, **shape)}


def _constant(
    card: Card, filters: tuple[str | None, str | None, int | None], own: bool
) -> Iterator[tuple[str, nn.Module]]:
    from scaledetect.nets import ConstantFilterNet

    side, stride, depth = filters
    for one in nets_of(card, side if own else side or "2", stride, depth):
        yield one.label, ConstantFilterNet(card.task.dim, **one.model_dump())


def _shape(net: str, architecture: str | None, dim: int, in_channels: int, n_classes: int) -> dict[str, int]:
    """What a net of a name is built with, so that it takes the images."""
    if {"constant_filter", "pooling"} & {net, architecture}:
        return {"dim": dim}
    return {"in_channels": in_channels, "n_classes": n_classes}


def _calibrated(module: nn.Module, where: Card | ImageData) -> nn.Module:
    """The net of a name, which was not trained: its batch norms get their statistics from training images."""
    import torch

    from scaledetect.nets import calibrate_batch_norm
    from scaledetect.sampling.samplers import sample_images
    from scaledetect.task.cards import Card

    if not any(isinstance(part, torch.nn.modules.batchnorm._BatchNorm) for part in module.modules()):
        return module
    if isinstance(where, Card):
        images, _ = sample_images(where.task, CALIBRATION_ROWS, seed=where.seeds.study[0], replace=True, split="train")
        return calibrate_batch_norm(module, images)
    return calibrate_batch_norm(module, where.train_images)


def _measure(module: nn.Module, where: Card | ImageData, n: int | None, seed: int | None, options: Any) -> Any:
    from scaledetect.sensitivity import image_sensitivities, sensitivities
    from scaledetect.task.cards import Card

    if isinstance(where, Card):
        first = where.seeds.study[0] if seed is None else seed
        return sensitivities(module, where.task, 10_000 if n is None else n, seed=first, **options)
    images = where.test_images
    if n is not None and not 1 <= n <= len(images):
        raise bad_value("n", n, f"{where.name!r} has {len(images)} test images")
    return image_sensitivities(module, images[:n], seed=seed or 0, **options)
