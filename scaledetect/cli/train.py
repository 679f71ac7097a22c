"""``scaledetect train``: train a net on a card, many seeds at once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaledetect._base.errors import bad_value
from scaledetect.cli.options import AsJson, CardName, Depth, FilterSize, Stride, numbers, per_layer, print_json

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.task.cards import Card
    from scaledetect.training import TrainedMember, TrainingRun, TrainProgress

Net = Annotated[str, typer.Option("--net", metavar="NET", help="Name of a net; pooling is the paper's.")]
Width = Annotated[int | None, typer.Option(help="Pooling net: channels H.")]
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
BatchSize = Annotated[int, typer.Option(help="Images a step.")]
Lr = Annotated[float, typer.Option(help="Learning rate; times the width for a pooling net under sgd.")]
Ridge = Annotated[
    float, typer.Option(help="Pooling net: coefficient on the convolution weights; the paper takes 0.01.")
]
Loss = Annotated[str, typer.Option(help="hinge or cross_entropy.")]
Optimizer = Annotated[str, typer.Option(help="sgd or adam.")]
Schedule = Annotated[str, typer.Option(help="constant or cosine.")]
MaxEpochs = Annotated[int, typer.Option(help="Epochs at most.")]
TargetLoss = Annotated[float, typer.Option(help="Mean loss of an epoch at which training may end.")]
Multiple = Annotated[float, typer.Option(help="Go on to this multiple of the first epoch that reached the target.")]
ZeroValidation = Annotated[bool, typer.Option("--zero-validation", help="The target asks for no validation error too.")]
Dtype = Annotated[str, typer.Option(help="float32 or float64.")]

SCORES = ("train_loss", "train_error", "validation_error", "test_error")


def train(
    card: CardName,
    net: Net = "pooling",
    filter_size: FilterSize = None,
    stride: Stride = None,
    depth: Depth = None,
    width: Width = None,
    gain: Gain = None,
    n_train: Rows = None,
    n_validation: Few = None,
    n_test: Few = None,
    seeds: Seeds = "0",
    batch_size: BatchSize = 8,
    lr: Lr = 0.01,
    ridge: Ridge = 0.0,
    loss: Loss = "hinge",
    optimizer: Optimizer = "sgd",
    schedule: Schedule = "constant",
    max_epochs: MaxEpochs = 1000,
    target_loss: TargetLoss = 0.0,
    zero_multiple: Multiple = 1.0,
    zero_validation: ZeroValidation = False,
    dtype: Dtype = "float32",
    output: Output = None,
    track: Track = None,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Train a net on a card, many seeds at once; --output keeps weights for `measure`, a log, and lets a run resume."""
    from scaledetect.cli.tables import progress
    from scaledetect.task.cards import load_card
    from scaledetect.training import TrainConfig
    from scaledetect.training import train as run_training

    config = TrainConfig(
        batch_size=batch_size, lr=lr, ridge=ridge, loss=loss, optimizer=optimizer, schedule=schedule,  # type: ignore[arg-type]
        max_epochs=max_epochs, target_loss=target_loss, zero_multiple=zero_multiple, zero_validation=zero_validation,
        dtype=dtype,  # type: ignore[arg-type]
    )  # fmt: skip
    loaded = load_card(card)
    spec = _spec(loaded, net, loss, {"filter_size": filter_size, "stride": stride}, depth, width, gain)
    train_rows, validation_rows, test_rows = _sizes(loaded, n_train, n_validation, n_test)
    epochs = () if track is None else numbers("track", track)
    roots = numbers("seeds", seeds)
    with progress("training") as bar:
        run = run_training(
            loaded.task, spec, n_train=train_rows, n_validation=validation_rows, n_test=test_rows, seeds=roots,
            config=config, output=output, track=epochs, device=device,
            on_epoch=lambda now: bar.show(_say(now), now.epoch, now.max_epochs),
        )  # fmt: skip
    if as_json:
        net_numbers = {"name": run.spec.name, "options": dict(run.spec.options)}
        rows = {f"n_{split}": n for split, n in asdict(run.sizes).items()}
        members = [_row(member) for member in run]
        print_json({"card": loaded.name, "net": net_numbers, **rows, "config": asdict(config), "members": members})
    else:
        _show(loaded, run, output)


def _spec(
    card: Card,
    net: str,
    loss: str,
    filters: dict[str, str | None],
    depth: int | None,
    width: int | None,
    gain: str | None,
) -> NetSpec:
    """The net; a pooling net has the numbers of the first reference net of the card where none are given."""
    from scaledetect.nets import NetSpec

    given: dict[str, Any] = {name: per_layer(name, text) for name, text in filters.items() if text is not None}
    given |= {name: value for name, value in (("depth", depth), ("width", width), ("gain", gain)) if value is not None}
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
