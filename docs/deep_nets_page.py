"""Writes docs/deep-nets.md, its figures and its table of claims from docs/data/deep-nets-*.csv.

    python docs/deep_nets_page.py                 # the page, the figures and the claims from the committed tables
    python docs/deep_nets_page.py --take FOLDER   # first takes what is finished in the folder of a reproduction
    python docs/deep_nets_page.py --give FOLDER   # makes a folder to go on in of the committed tables

FOLDER is that of `scaledetect reproduce deep-nets`, finished or not.
"""

# ruff: noqa: E501 (lines of the text are as long as their numbers)
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from stored_runs import finished, give_back

from scaledetect._base.files import replacing, write_json
from scaledetect.reproduce.deep_nets import LABELS, PAPER_EPOCHS, SIZES, SMALL_STEP
from scaledetect.reproduce.folder import gather_tables, read_table, write_table
from scaledetect.reproduce.image_job import PUBLISHED_STEP
from scaledetect.reproduce.images.claims import (
    ImageHypotheses,
    claims_frame,
    claims_table,
    decide_on_images,
    load_image_hypotheses,
)
from scaledetect.reproduce.run import study
from scaledetect.statistics.correlation import rank_correlation

DOCS = Path(__file__).resolve().parent
HYPOTHESES = DOCS / "hypotheses-deep-nets.toml"
MARKS = ("net", "n_train", "seed")
"""What tells the rows of one training from those of the others."""
CURVES = {"initial": "before", "trained": "after", "shuffled": "shuffled"}
LAYER_COLUMNS = ["net", "n_train", "sigma", "seed", "curve", "layer", "k", "depth", "D"]


def read_data() -> dict[str, pd.DataFrame]:
    """The committed tables of what was measured; no rows of layers where no such training is finished."""
    layers = DOCS / "data" / "deep-nets-layers.csv"
    found = read_table(layers) if layers.exists() else pd.DataFrame(columns=LAYER_COLUMNS)
    return {"nets": read_table(DOCS / "data" / "deep-nets-nets.csv"), "layers": found}


def read_runs() -> dict[str, Any]:
    """How the runs were made: the size, how many trainings it has, and the numbers of those that are finished."""
    found: dict[str, Any] = json.loads((DOCS / "data" / "deep-nets.json").read_text(encoding="utf-8"))
    return found


def take(folder: Path) -> None:
    """Copy what is finished in the folder of a reproduction to docs/data."""
    configuration, jobs = finished(folder, "deep-nets")
    for name, table in gather_tables(folder, jobs).items():
        write_table(DOCS / "data" / f"deep-nets-{name}.csv", table)
    made = {"size": configuration["size"], "planned": len(configuration["jobs"]), "finished": jobs}
    write_json(DOCS / "data" / "deep-nets.json", made)


def give(folder: Path) -> None:
    """Make a folder in which `scaledetect reproduce deep-nets` goes on after what is committed."""
    jobs = read_runs()["finished"]
    give_back(folder, read_data(), {name: {key: job[key] for key in MARKS} for name, job in jobs.items()})


def hypotheses() -> ImageHypotheses:
    """Those that were written down before the runs."""
    return load_image_hypotheses(HYPOTHESES)


def claims(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The primary hypotheses, decided from the tables."""
    return claims_frame(decide_on_images(tables, hypotheses()))


def render(tables: dict[str, pd.DataFrame], runs: dict[str, Any]) -> str:
    """The page."""
    found, given = claims(tables), hypotheses()
    counts = found["verdict"].value_counts()
    words = ", ".join(f"{counts[v]} {v}" for v in ("confirmed", "refuted", "open", "no data") if v in counts)
    nets, first = tables["nets"], next(iter(runs["finished"].values()))
    slow = ", ".join(f"{LABELS[net]}: {step:g} and He's first weights" for net, step in SMALL_STEP.items())
    return TEXT.format(
        m=len(found), verdicts=words, most=given.most_train_error, epochs=first["epochs"], published=PAPER_EPOCHS,
        step=PUBLISHED_STEP, slow=slow, state=_state(len(runs["finished"]), runs["planned"]),
        draws=f"{first['draws']:,}", claims=claims_table(found), correlations=_correlations(nets, given.most_train_error),
        nets=_nets(nets), layers=_layers(tables["layers"]), left_out=int((nets["train_error"] > given.most_train_error).sum()),
    )  # fmt: skip


def _state(finished: int, planned: int) -> str:
    looks = "verdicts were looked at before the last was finished, which changed nothing in the plan"
    if finished == planned:
        return f"All {planned} trainings are finished; {looks}."
    text = f"{finished} of {planned} trainings are finished, the first seeds of all kinds first; this page was written"
    return f"{text} while the others went on as planned, and its verdicts are those of the last look."


def _correlations(nets: pd.DataFrame, most_train_error: float) -> str:
    lines = ["| P | nets | with D | with G | with R |", "|---|---|---|---|---|"]
    for n_train in SIZES:
        mine = nets[(nets["n_train"] == n_train) & (nets["train_error"] <= most_train_error)]
        cells = []
        for name in ("D", "G", "R"):
            one = rank_correlation(list(zip(mine[name], mine["test_error"], strict=True)), n_train=n_train)
            cells.append("-" if one is None else f"{one.rho:.2f} ({one.low:.2f} to {one.high:.2f})")
        lines.append(f"| {n_train} | {len(mine)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _nets(nets: pd.DataFrame) -> str:
    lines = ["| net | P | seeds | training error | test error | D | G | R |", "|---|---|---|---|---|---|---|---|"]
    for n_train in SIZES:
        for net, label in LABELS.items():
            mine = nets[(nets["net"] == net) & (nets["n_train"] == n_train)]
            if len(mine):
                means = mine[["train_error", "test_error", "D", "G", "R"]].mean()
                lines.append(f"| {label} | {n_train} | {len(mine)} | {' | '.join(f'{v:.3g}' for v in means)} |")
    return "\n".join(lines)


def _layers(layers: pd.DataFrame) -> str:
    if layers.empty:
        return "No training whose layers are measured is finished."
    lines = [
        "![D, G and R of VGG11 against relative depth](figures/layers-2d.png)", "",
        "| net | | seeds | D of the first layer | of the layer in the middle | of the output |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for net, label in LABELS.items():
        for curve, words in CURVES.items():
            rows = layers[(layers["net"] == net) & (layers["curve"] == curve)]
            if len(rows):
                D = rows.groupby("k")["D"].mean()
                cells = " | ".join(f"{D.iloc[place]:.3g}" for place in (0, (len(D) - 1) // 2, -1))
                lines.append(f"| {label} | {words} | {rows['seed'].nunique()} | {cells} |")
    return "\n".join(lines)


TEXT = """\
<!-- Written by docs/deep_nets_page.py from docs/data/deep-nets-*.csv: change those, not this file. -->
# Deep nets on the task

The paper trains LeNet, AlexNet, VGG and ResNet on its two-dimensional distance task (L = 28, xi = 14, gap 2, open; figures 8
and 9). The {m} primary hypotheses below were written down in [hypotheses-deep-nets.toml](hypotheses-deep-nets.toml) before
the runs; each is decided at level 0.05 / {m}, by a one-sided t test over seeds, and those over kinds of nets by counting all
orders. A net counts where it has learnt: training error at most {most}. Outcome: **{verdicts}**.

**What these runs are.** Size `laptop` of `scaledetect reproduce deep-nets`, by the published recipe: hinge loss, descent with
momentum 0.9, weight decay 5e-4 on all but vectors, batches of 128, step {step:g} ({slow}), falling as a cosine over 0.8 of the
epochs; but {epochs} epochs in place of {published}, width 1/4 (LeNet as it is), and the last net in place of that of the lowest test
error. {state} Images are neither cropped nor mirrored. Measurements take {draws} draws, and noise as strong as the displacement, image by image. Size `paper` (eleven
kinds, ten seeds, {published} epochs) was not run.

{claims}

Ratios are geometric means over seeds; "no data" is a claim none of whose trainings is finished. A single net has no scatter,
so a claim on it stays open.

## Test error against D, G and R

![Test error against D, G and R of the output](figures/deep-nets.png)

*A marker a net that has learnt ({left_out} have not, and are in the table only); bars are standard errors of one measurement.
Compare the paper's figure 8.*

Spearman's coefficient of the test error over all nets at fixed P, with a nominal 95 % interval by a jackknife over nets;
nets of one kind are alike, so that the intervals are too short. Exploratory:

{correlations}

{nets}

## Layer by layer

VGG11 at P = 2048, compare the paper's figure 9.

{layers}

## Again

```sh
scaledetect reproduce deep-nets --output runs/deep-nets    # goes on where it was broken off
scaledetect reproduce layers-2d --output runs/deep-nets    # the same trainings
python docs/deep_nets_page.py --take runs/deep-nets
```
"""


def main(arguments: list[str]) -> None:
    """Give or take runs where asked to, decide, draw and write."""
    if arguments[:1] == ["--give"]:
        give(Path(arguments[1]))
        return
    if arguments[:1] == ["--take"]:
        take(Path(arguments[1]))
    tables = read_data()
    write_table(DOCS / "data" / "deep-nets-claims.csv", claims(tables))
    learnt = tables["nets"][tables["nets"]["train_error"] <= hypotheses().most_train_error]
    figures = {"deep-nets": study("deep-nets").draw({"nets": learnt})[""]}
    if not tables["layers"].empty:
        figures["layers-2d"] = study("layers-2d").draw({"layers": tables["layers"]})[""]
    for name, figure in figures.items():
        with replacing(DOCS / "figures" / f"{name}.png") as temporary:
            figure.savefig(temporary, dpi=150, format="png")
    with replacing(DOCS / "deep-nets.md") as temporary:
        temporary.write_text(render(tables, read_runs()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
