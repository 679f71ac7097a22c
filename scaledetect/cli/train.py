"""``scaledetect train``: train a net on a card or on images, many seeds at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaledetect._base.errors import bad_value
from scaledetect.cli.options import AsJson, Depth, FilterSize, Stride, numbers, per_layer, print_json
from scaledetect.cli.train_images import ImagesName, Root, split_options, train_images

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.task.cards import Card
    from scaledetect.training import TrainedMember, TrainingRun, TrainProgress

Net = Annotated[str, typer.Option("--net", metavar="NET", help="Name of a net; pooling is the paper's.")]
Width = Annotated[
    float | None, typer.Option(help="Pooling net: channels H. Image net, with --images: factor on its channels.")
]
Gain = Annotated[str | None, typer.Option(help="Pooling net: critical or paper.")]
Rows = Annotated[
    int | None, typer.Option(help="Default: what the card states, the largest of them; else all there are.")
]
Few = Annotated[int | None, typer.Option(help="Default: what the card states.")]
Seeds = Annotated[str, typer.Option(metavar="SEEDS", help="Root seeds, as in 0-9 or 0,3,7.")]
Output = Annotated[Path | None, typer.Option(help="Folder to keep the run in; a run found there is gone on with.")]
Track = Annotated[
    str | None, typer.Option(metavar="EPOCHS", help="Measure D, G, R after these epochs, as in 0,10,100.")
]
Device = Annotated[str | None, typer.Option(help="Such as cpu or cuda; default: a GPU where there is one.")]
BatchSize = Annotated[int | None, typer.Option(help="Images a step; default 8, on images 128.")]
Lr = Annotated[
    float | None, typer.Option(help="Learning rate, for a pooling net times the width; default 0.01, on images 0.1.")
]
Ridge = Annotated[
    float | None, typer.Option(help="Pooling net: coefficient on the convolution weights; the paper takes 0.01.")
]
Loss = Annotated[str | None, typer.Option(help="hinge (default) or cross_entropy.")]
Optimizer = Annotated[str | None, typer.Option(help="sgd (default) or adam.")]
Schedule = Annotated[str | None, typer.Option(help="constant (default), or cosine (default on images).")]
MaxEpochs = Annotated[int | None, typer.Option(help="Epochs at most; default 1000, on images 250.")]
TargetLoss = Annotated[float | None, typer.Option(help="Mean loss of an epoch at which training may end.")]
Multiple = Annotated[
    float | None, typer.Option(help="Go on to this multiple of the first epoch that reached the target.")
]
ZeroValidation = Annotated[bool, typer.Option("--zero-validation", help="The target asks for no validation error too.")]
Dtype = Annotated[str | None, typer.Option(help="float32 (default) or float64.")]
First = Annotated[str | None, typer.Option(help="Image net, with --images: first weights, torch (default) or he.")]
Momentum = Annotated[float | None, typer.Option(help="Of sgd; default 0, on images 0.9.")]
Decay = Annotated[float | None, typer.Option(help="Weight decay of matrices; default 0, on images 0.0005.")]
Share = Annotated[
    float | None, typer.Option(help="Share of the epochs in which a cosine falls; default 1, on images 0.8.")
]
Crop = Annotated[int | None, typer.Option(help="With --images: pixels of random shifts; default 4.")]
Flip = Annotated[str | None, typer.Option(metavar="yes|no", help="With --images: mirror at random; default yes.")]
NoiseNorm = Annotated[float | None, typer.Option(help="With --images: norm of white noise on an image; default 0.")]
NoiseDraws = Annotated[str | None, typer.Option("--noise", help="With --images: drawn anew (default) or fixed.")]
Keep = Annotated[str | None, typer.Option(help="With --images: last net (default), or best_test_error.")]
Bfloat16 = Annotated[bool, typer.Option("--bfloat16", help="With --images, on a GPU: train in bfloat16.")]
OptionalCard = Annotated[
    str | None, typer.Argument(metavar="[CARD]", help="Name of a card, or the path of a TOML file; or --images NAME.")
]

CONFIG = (
    "batch_size", "lr", "ridge", "loss", "optimizer", "schedule", "max_epochs", "target_loss", "zero_multiple",
    "zero_validation", "dtype", "momentum", "weight_decay", "cosine_share",
)  # fmt: skip

SCORES = ("train_loss", "train_error", "validation_error", "test_error")


def train(
    card: OptionalCard = None,
    images: ImagesName = None,
    root: Root = None,
    net: Net = "pooling",
    filter_size: FilterSize = None,
    stride: Stride = None,
    depth: Depth = None,
    width: Width = None,
    gain: Gain = None,
    initialisation: First = None,
    n_train: Rows = None,
    n_validation: Few = None,
    n_test: Few = None,
    seeds: Seeds = "0",
    batch_size: BatchSize = None,
    lr: Lr = None,
    ridge: Ridge = None,
    loss: Loss = None,
    optimizer: Optimizer = None,
    schedule: Schedule = None,
    max_epochs: MaxEpochs = None,
    target_loss: TargetLoss = None,
    zero_multiple: Multiple = None,
    zero_validation: ZeroValidation = False,
    dtype: Dtype = None,
    momentum: Momentum = None,
    weight_decay: Decay = None,
    cosine_share: Share = None,
    crop: Crop = None,
    flip: Flip = None,
    noise_norm: NoiseNorm = None,
    noise: NoiseDraws = None,
    keep: Keep = None,
    bfloat16: Bfloat16 = False,
    output: Output = None,
    track: Track = None,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Train a net on a card or on images, many seeds; --output keeps weights for `measure` and a log, and goes on."""
    options = dict(locals())
    if (card is None) == (images is None):
        raise bad_value("card", card, "give exactly one of CARD and --images NAME")
    common = {"card", "images", "net", "seeds", "output", "as_json"}
    given = split_options(images is not None, {k: v for k, v in options.items() if k not in common})
    if images is not None:
        train_images(images, net, numbers("seeds", seeds), given, output, as_json=as_json)
    else:
        _train_on_card(card or "", net, numbers("seeds", seeds), given, output, as_json=as_json)


def _train_on_card(
    card: str, net: str, roots: tuple[int, ...], given: dict[str, Any], output: Path | None, *, as_json: bool
) -> None:
    from scaledetect.cli.tables import progress
    from scaledetect.task.cards import load_card
    from scaledetect.training import TrainConfig
    from scaledetect.training import train as run_training

    config = TrainConfig(**{name: given[name] for name in CONFIG if name in given})
    loaded = load_card(card)
    spec = _spec(loaded, net, config.loss, given)
    train_rows, validation_rows, test_rows = _sizes(
        loaded, given.get("n_train"), given.get("n_validation"), given.get("n_test")
    )
    epochs = numbers("track", given["track"]) if "track" in given else ()
    with progress("training") as bar:
        run = run_training(
            loaded.task, spec, n_train=train_rows, n_validation=validation_rows, n_test=test_rows, seeds=roots,
            config=config, output=output, track=epochs, device=given.get("device"),
            on_epoch=lambda now: bar.show(_say(now), now.epoch, now.max_epochs),
        )  # fmt: skip
    if as_json:
        net_numbers = {"name": run.spec.name, "options": dict(run.spec.options)}
        rows = {f"n_{split}": n for split, n in asdict(run.sizes).items()}
        members = [_row(member) for member in run]
        print_json({"card": loaded.name, "net": net_numbers, **rows, "config": asdict(config), "members": members})
    else:
        _show(loaded, run, output)


def _spec(card: Card, net: str, loss: str, options: Mapping[str, Any]) -> NetSpec:
    """The net; a pooling net has the numbers of the first reference net of the card where none are given."""
    from scaledetect.nets import NetSpec

    given: dict[str, Any] = {k: per_layer(k, options[k]) for k in ("filter_size", "stride") if k in options}
    given |= {name: options[name] for name in ("depth", "width", "gain") if name in options}
    if "width" in given and float(given["width"]).is_integer():
        given["width"] = int(given["width"])
    if net == "pooling":
        own = {} if given.keys() & {"filter_size", "stride", "depth"} or not card.nets else card.nets[0].model_dump()
        return NetSpec(net, {"dim": card.task.dim, **own, **given})
    if given:
        raise bad_value(*next(iter(given.items())), "goes with --net pooling only", "leave it out")
    if net == "constant_filter":
        return NetSpec(net)
    return NetSpec(net, {"in_channels": 1, "n_classes": 1 if loss == "hinge" else 2})


def _sizes(card: Card, n_train: int | None, n_validation: int | None, n_test: int | None) -> tuple[int, int, int]:
    """Rows for training, validation and test: those given, else the budgets of the card, else all there are."""
    from scaledetect.sampling.splits import longest_run

    budgets, task = card.budgets, card.task
    if budgets is None:
        default = (longest_run(task, "train"), 0, longest_run(task, "test"))
    else:
        default = (budgets.n_train[-1], budgets.n_validation, budgets.n_test)
    usual_train, usual_validation, usual_test = default
    return (
        usual_train if n_train is None else n_train,
        usual_validation if n_validation is None else n_validation,
        usual_test if n_test is None else n_test,
    )


def _say(progress: TrainProgress) -> str:
    """Number of members, loss and error, for a line of progress."""
    text = f"{len(progress.seeds)} training, loss {progress.losses.mean():.2e}"
    if progress.validation_errors is not None:
        text += f", error {progress.validation_errors.mean():.3f}"
    return text


def _row(member: TrainedMember) -> dict[str, Any]:
    names = ("seed", "status", "epochs", "reached", *SCORES)
    tracked = {str(epoch): s.to_dict() for epoch, s in member.tracked.items()}
    return {name: getattr(member, name) for name in names} | ({"tracked": tracked} if tracked else {})


def _show(card: Card, run: TrainingRun, output: Path | None) -> None:
    from scaledetect.cli.tables import print_rows, print_sensitivities

    sizes = f"{run.sizes.train} training, {run.sizes.validation} validation and {run.sizes.test} test rows"
    rows = [[str(value) for value in _row(member).values()][: 4 + len(SCORES)] for member in run]
    shown = [["-" if cell == "None" else _short(cell) for cell in row] for row in rows]
    print_rows(
        f"{card.display_name}: {run.spec.name}, {sizes}", ("seed", "status", "epochs", "reached", *SCORES), shown
    )
    for member in run:
        if member.tracked:
            curves = {f"epoch {epoch}": s for epoch, s in member.tracked.items()}
            print_sensitivities(f"seed {member.seed}: D, G and R during training", curves)
    if output is not None:
        one = output / f"seed-{run.members[0].seed}.pt"
        typer.echo(f"kept in {output}; to measure one: scaledetect measure {one} --task {card.name}")


def _short(cell: str) -> str:
    return f"{float(cell):.4g}" if "." in cell else cell
