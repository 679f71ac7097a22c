"""``scaledetect measure NET --probes``: the report of one net, as a table, and as CSV or a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaledetect._base.errors import bad_value
from scaledetect.cli.options import print_json

if TYPE_CHECKING:
    from torch import nn

    from scaledetect.images.datasets import ImageData
    from scaledetect.reproduce.net_report import NetReport
    from scaledetect.task.cards import Card

__all__ = ["measure_probes"]

ENDINGS = (".csv", ".png", ".svg", ".pdf")


def measure_probes(
    source: str, net: nn.Module, where: Card | ImageData, options: dict[str, Any], output: Path | None, *, as_json: bool
) -> None:
    """Measure, print, and write; `options` are those of `scaledetect.net_report`."""
    from scaledetect.cli.tables import progress
    from scaledetect.images.datasets import ImageData
    from scaledetect.reproduce.net_report import net_report

    path = None if output is None else _checked(output)
    on = where if isinstance(where, ImageData) else where.task
    with progress("measuring", 1) as bar:
        report = net_report(net, on, _initial(source, where), **options)
        bar.step(source)
    if path is not None:
        _write(report, path, source)
    if as_json:
        print_json(report.to_frame().to_dict("records"))
    else:
        _show(report, f"{getattr(where, 'display_name', where.name)}: {source}")


def _initial(source: str, where: Card | ImageData) -> nn.Module | None:
    """The net that a trained member began as, its batch norms calibrated; None for any other net."""
    from scaledetect.images.datasets import ImageData
    from scaledetect.nets import calibrate_batch_norm
    from scaledetect.sampling.samplers import sample_images
    from scaledetect.training.find_net import WEIGHTS
    from scaledetect.training.store import MEMBER_FORMAT, load_member, read_stored

    if Path(source).suffix not in WEIGHTS or read_stored(Path(source)).get("format") != MEMBER_FORMAT:
        return None
    initial = load_member(source).initial_net()
    if isinstance(where, ImageData):
        return calibrate_batch_norm(initial, where.train_images)
    images, _ = sample_images(where.task, 1024, seed=where.seeds.study[0], replace=True, split="train")
    return calibrate_batch_norm(initial, images)


def _checked(output: Path) -> Path:
    from scaledetect._base.files import check_writable

    if output.suffix not in ENDINGS:
        raise bad_value("output", str(output), f"must end in one of {', '.join(ENDINGS)} with --probes")
    return check_writable(output)


def _write(report: NetReport, path: Path, source: str) -> None:
    from scaledetect._base.files import replacing

    with replacing(path) as temporary:
        if path.suffix == ".csv":
            report.to_frame().to_csv(temporary, index=False, lineterminator="\n")
        else:
            report.plot(title=source).savefig(temporary, dpi=160)


def _show(report: NetReport, title: str) -> None:
    from scaledetect.cli.tables import print_rows

    frame = report.to_frame()
    columns = ("curve", "layer", "D", "D_stderr", "G", "G_stderr", "R", "R_stderr", "constant")
    rows = [
        ["-" if value != value else f"{value:.4g}" if isinstance(value, float) else str(value) for value in row]
        for row in frame[list(columns)].itertuples(index=False)
    ]
    print_rows(title, columns, rows, left=2)
