"""``scaledetect theory``: sensitivities of constant filters, or of the paper's trained net before training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaledetect.cli.options import (
    AsJson,
    CardName,
    Depth,
    FilterSize,
    Mode,
    Sigma,
    Stride,
    nets_of,
    noise_of,
    print_json,
)

if TYPE_CHECKING:
    from scaledetect.results import Sensitivities
    from scaledetect.task.cards import ReferenceNet
    from scaledetect.task.task import Task

NETS = ("constant", "pooling")

Net = Annotated[
    str, typer.Option("--net", metavar="NET", help="constant: constant filters, exact. pooling: PoolingNet, untrained.")
]
Gain = Annotated[str | None, typer.Option(help="Of --net pooling: critical, or paper.")]
Width = Annotated[int | None, typer.Option(help="Of --net pooling: channels H, for --channel-mean.")]
ChannelMean = Annotated[bool, typer.Option("--channel-mean", help="Of --net pooling: average over channels first.")]
Draws = Annotated[int | None, typer.Option("--n", help="Of --net pooling: draws of the Monte Carlo.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Of --net pooling: seed of the Monte Carlo.")]


def theory(
    card: CardName,
    net: Net = "constant",
    filter_size: FilterSize = None,
    stride: Stride = None,
    depth: Depth = None,
    gain: Gain = None,
    width: Width = None,
    channel_mean: ChannelMean = False,
    noise: Mode = "signed",
    sigma: Sigma = None,
    n: Draws = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """D, G, R of constant filters, or of random nets of infinite width, on a task; default: the nets of the card."""
    from scaledetect._base.arguments import one_of
    from scaledetect.cli.tables import print_sensitivities
    from scaledetect.task.cards import load_card

    one_of("net", net, NETS)
    loaded = load_card(card)
    options = {"gain": gain, "width": width, "channel_mean": channel_mean or None, "n": n, "seed": seed}
    given = {name: value for name, value in options.items() if value is not None}
    kind = noise_of(noise, sigma=sigma)
    nets = nets_of(loaded, filter_size, stride, depth)
    found = {one.label: _sensitivities(net, loaded.task, one, {**given, "noise": kind}) for one in nets}
    if as_json:
        print_json({label: s.to_dict() for label, s in found.items()})
    else:
        title = "exact" if net == "constant" else "PoolingNet at initialisation"
        print_sensitivities(f"{loaded.display_name}: {title}, {noise} noise", found)


def _sensitivities(net: str, task: Task, numbers: ReferenceNet, options: dict[str, Any]) -> Sensitivities:
    from scaledetect._base.errors import bad_value
    from scaledetect.theory import at_initialisation, sensitivities

    if net == "pooling":
        return at_initialisation(task, **numbers.model_dump(), **options)
    for name, value in options.items():
        if name != "noise":
            raise bad_value(name, value, "means nothing to constant filters", "leave it out, or add --net pooling")
    return sensitivities(task, **numbers.model_dump(), **options)
