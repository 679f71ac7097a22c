"""``scaledetect train --images``: train a net on a data set of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaledetect._base.errors import bad_value
from scaledetect.cli.options import print_json

if TYPE_CHECKING:
    from scaledetect.images import ImageData
    from scaledetect.training import ImageTrainingRun

__all__ = ["ImagesName", "Root", "load_images", "split_options", "train_images"]

ImagesName = Annotated[
    str | None,
    typer.Option("--images", metavar="NAME", help="Data set of images, such as cifar10, in place of a card."),
]
Root = Annotated[
    Path | None,
    typer.Option(help="With --images: folder of its published files; default: SCALEDETECT_DATA, else a download."),
]

TASK_ONLY = (
    "filter_size", "stride", "depth", "gain", "n_validation", "ridge", "loss", "target_loss", "zero_multiple",
    "zero_validation", "dtype", "track",
)  # fmt: skip
IMAGES_ONLY = (
    "root", "initialisation", "crop", "flip", "noise_norm", "noise", "keep", "bfloat16",
)  # fmt: skip


def split_options(on_images: bool, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given; an error for the first that means nothing here."""
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    strangers = TASK_ONLY if on_images else IMAGES_ONLY
    for name in strangers:
        if name in given:
            goes_with = "a card" if on_images else "--images"
            raise bad_value(name, given[name], f"goes with {goes_with} only", "leave it out")
    return given


def load_images(name: str, root: Path | None = None) -> ImageData:
    """The data set; what keeps it from being loaded is told in one line."""
    from scaledetect.images.datasets import load

    try:
        return load(name, root=root)
    except (ModuleNotFoundError, ConnectionError) as error:
        raise bad_value("images", name, " ".join(str(error).split())) from error


def train_images(
    name: str, net: str, seeds: tuple[int, ...], given: dict[str, Any], output: Path | None, *, as_json: bool
) -> None:
    """Train on the data set and print the members."""
    from scaledetect.cli.tables import progress
    from scaledetect.nets import NetSpec
    from scaledetect.training import ImageTrainConfig, train

    if net == "pooling":
        raise bad_value("net", net, "is a net for cards", "name an image net, as --net vgg11_bn")
    data = load_images(name, given.pop("root", None))
    options: dict[str, Any] = {"in_channels": data.train_images.shape[1], "n_classes": len(data.classes)}
    options |= {key: given.pop(key) for key in ("width", "initialisation") if key in given}
    rows = {key: given.pop(key, None) for key in ("n_train", "n_test")}
    device = given.pop("device", None)
    if "max_epochs" in given:
        given["epochs"] = given.pop("max_epochs")
    if "flip" in given:
        given["flip"] = given["flip"] == "yes"
    config = ImageTrainConfig(**given)
    with progress("training") as bar:
        run = train(
            data, NetSpec(net, options), **rows, seeds=seeds, config=config, output=output, device=device,
            on_epoch=lambda now: bar.show(f"seed {now.seeds[0]}, loss {now.losses[0]:.3f}", now.epoch, now.max_epochs),
        )  # fmt: skip
    if as_json:
        members = run.to_frame().to_dict("records")
        net_numbers = {"name": run.spec.name, "options": dict(run.spec.options)}
        print_json(
            {"images": name, "net": net_numbers, "n_train": run.n_train, "n_test": run.n_test}
            | {"config": asdict(config), "members": members}
        )
        return
    _show(run, output)


def _show(run: ImageTrainingRun, output: Path | None) -> None:
    from scaledetect.cli.tables import print_rows

    names = ("seed", "status", "epochs", "kept", "train loss", "train error", "test error")
    rows = [
        (m.seed, m.status, m.epochs, m.reached, m.train_loss, m.train_error, m.test_error) for m in run
    ]  # fmt: skip
    shown = [["-" if v is None else f"{v:.4g}" if isinstance(v, float) else str(v) for v in row] for row in rows]
    title = (
        f"{run.data.name}: {run.spec.name}, {run.n_train} training and {run.n_test} test images, {run.config.keep} net"
    )
    print_rows(title, names, shown)
    if output is not None:
        one = output / f"seed-{run.members[0].seed}.pt"
        typer.echo(f"kept in {output}; to measure one: scaledetect measure {one} --images {run.data.name}")
