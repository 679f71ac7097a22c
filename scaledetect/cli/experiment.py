"""``scaledetect experiment``: what a frozen experiment measured, or its data made anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledetect.cli.options import AsJson, numbers, print_json

if TYPE_CHECKING:
    from scaledetect.experiments import Experiment

Name = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Name of an experiment; without one, all are listed.")
]
Output = Annotated[
    Path | None,
    typer.Option(help="Folder to make the data in anew, nets from their seeds; what is there is gone on with."),
]
SeedsOption = Annotated[str | None, typer.Option("--seeds", help="With --output: some seeds, as in 0-3 or 0,7.")]
Noise = Annotated[str, typer.Option(help="Noise mode that is shown.")]


def experiment(
    name: Name = None,
    output: Output = None,
    seeds: SeedsOption = None,
    noise: Noise = "rectified_noise",
    as_json: AsJson = False,
) -> None:
    """List the frozen experiments, show one, or make its data again in a folder (`scaledetect verify` compares)."""
    from scaledetect.experiments import load_experiment, load_experiment_card

    if name is None:
        _list(as_json)
    elif output is None:
        _show(load_experiment(name), noise, as_json)
    else:
        from scaledetect.experiments.making import make_experiment

        card = load_experiment_card(name)
        chosen = None if seeds is None else numbers("seeds", seeds)
        path = make_experiment(card, output, seeds=chosen, say=lambda text: typer.echo(text, err=True))
        typer.echo(f"{path}; to compare: scaledetect verify {path}")


def _list(as_json: bool) -> None:
    from scaledetect.cli.tables import print_rows
    from scaledetect.experiments import list_experiments, load_experiment_card

    cards = [load_experiment_card(name) for name in list_experiments()]
    if as_json:
        print_json([card.model_dump(exclude={"task", "citation"}) for card in cards])
        return
    rows = [[card.name, card.regime, str(card.net.pooling.depth), str(card.seeds.count)] for card in cards]
    print_rows("Frozen experiments", ("name", "regime", "layers", "nets"), rows)


def _show(e: Experiment, noise: str, as_json: bool) -> None:
    import numpy as np

    from scaledetect.cli.tables import print_rows

    found = e.measurements(noise)  # type: ignore[arg-type]
    table = {name: np.array([getattr(s, name) for s in found]) for name in ("D", "G", "R")}
    if as_json:
        print_json({"name": e.name, "seeds": e.seeds, "A": e.A, "noise": noise, "data_hash": e.data_hash, **table})
        return
    rows = [
        [layer, f"{e.A[k]:.4g}", *(_mean_and_spread(values[:, k]) for values in table.values())]
        for k, layer in enumerate(e.layers)
    ]
    title = f"{e.card.display_name}: {len(e.seeds)} nets, {noise}, geometric mean and scatter (ln) over nets"
    print_rows(title, ("layer", "A", *table), rows)


def _mean_and_spread(values: object) -> str:
    import numpy as np

    all_values = np.asarray(values, dtype=float)
    good = all_values[np.isfinite(all_values) & (all_values > 0)]
    if not len(good):
        return "-"
    logs = np.log(good)
    text = f"{np.exp(logs.mean()):.4g} ({logs.std(ddof=1) if len(good) > 1 else 0:.2g})"
    return text if len(good) == len(all_values) else f"{text}, {len(good)} nets"
