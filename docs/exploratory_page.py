"""Write docs/theory-vs-experiment-exploratory.md, its figures and its table of exploratory numbers from the data in docs/data.

The data come from ``scaledetect reproduce depth-1d``; ``python docs/exploratory_page.py`` writes the rest. No
result in the text is typed: each is looked up in that table, or computed from the data.
"""

# ruff: noqa: E501 (lines of the text are as long as their numbers)
from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from scaledetect._base.files import replacing
from scaledetect.reproduce.depth_figure import COLUMNS, MAIN, draw_depth
from scaledetect.reproduce.exploratory import exploratory
from scaledetect.reproduce.folder import read_table, write_table

DOCS = Path(__file__).resolve().parent
TABLES = ("curves", "filters", "training")

FALLS = "Fall of D with depth after training"
BEFORE = "Fall of D with depth before training"
MORE = "Fall of D with depth after training over that before"
RISES = "Rise of G with depth after training"
RISES_MORE = "Rise of G with depth after training over that before"
CONSTANT = "Constant mode of the filters, after training over before"
SHUFFLED_D, SHUFFLED_G = "D with channels shuffled", "G with channels shuffled"
MEAN_D, MEAN_G = "D of the channel mean by mean filters", "G of the channel mean by mean filters"
SLOPE_D = "Slope of D against A, beside that of constant filters"
SLOPE_G = "Slope of G against A, beside that of constant filters"
PAPER_NOISE = "rectified_noise"
MODES = ("signed", PAPER_NOISE, "rectified_input")
BLOCK, DISTANCE = "block-F2-s2", "distance-F3-s1"
RIDGE, STRONG = "block-F2-s2-ridge", "block-F2-s2-strong-ridge"


def read_data() -> dict[str, pd.DataFrame]:
    """The committed tables."""
    return {name: read_table(DOCS / "data" / f"depth-1d-{name}.csv") for name in TABLES}


class Text:
    """The tables, and how their numbers are written."""

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        self.tables = tables
        self.numbers = exploratory(tables)["exploratory"]

    def row(self, subject: str, job: str, channels: str = "", noise: str = "", number: str = "") -> pd.Series:
        """The one row of the table."""
        rows = self.numbers[(self.numbers["subject"] == subject) & (self.numbers["job"] == job)]
        rows = rows[(rows["channels"] == channels) & (rows["noise"] == noise) & rows["number"].str.startswith(number)]
        assert len(rows) == 1, (subject, job, channels, noise, number, len(rows))
        return rows.iloc[0]

    def say(self, *key: str) -> str:
        """``2.9 (2.4 to 3.3)``."""
        row = self.row(*key)
        return f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"

    def jobs(self) -> list[str]:
        """In the order of the data."""
        return list(dict.fromkeys(self.tables["training"]["job"]))

    def ridge_jobs(self) -> list[str]:
        """Those trained with ridge, the weakest first."""
        return [job for job in self.jobs() if "ridge" in job]

    def nets(self) -> str:
        """A row a job: what was trained, and how it ended."""
        lines = [
            "| nets | task | F, s, width | seeds | at zero loss | epochs | test error |\n|---|---|---|---|---|---|---|"
        ]
        for job in self.jobs():
            rows = self.tables["training"][self.tables["training"]["job"] == job]
            first = rows.iloc[0]
            lines.append(
                f"| `{job}` | {first['labelling']}, {first['dim']}-D, xi = {first['xi']:g} | {first['filter_size']}, "
                f"{first['stride']}, {first['width']} | {len(rows)} | {rows['reached'].notna().sum()} | {rows['epochs'].median():.0f} | "
                f"{rows['test_error'].mean():.3f} |"
            )
        return "\n".join(lines)

    def deformation(self) -> str:
        """A row a job: how far D falls."""
        lines = [
            "| nets | ratio | channels | trained | at initialisation | trained / initial |\n|---|---|---|---|---|---|"
        ]
        for job in self.jobs():
            for channels in ("each", "mean"):
                key = (job, channels)
                lines.append(
                    f"| `{job}` | {self.row(FALLS, *key)['number']} | {channels} | {self.say(FALLS, *key)} | "
                    f"{self.say(BEFORE, *key)} | {self.say(MORE, *key)} |"
                )
        return "\n".join(lines)

    def noise(self) -> str:
        """A row a job and a noise mode: how far G rises, single channels."""
        lines = ["| nets | noise | ratio | trained | trained / initial |", "|---|---|---|---|---|"]
        for job in self.jobs():
            for mode in MODES:
                key = (job, "each", mode)
                lines.append(
                    f"| `{job}` | {mode} | {self.row(RISES, *key)['number']} | {self.say(RISES, *key)} | "
                    f"{self.say(RISES_MORE, *key)} |"
                )
        return "\n".join(lines)

    def slopes(self) -> str:
        """A row a job and quantity with enough layers."""
        rows = self.numbers[self.numbers["subject"].str.endswith("the asymptotic one")]
        lines = ["| nets | fit | channels | fitted | asymptotic | constant filters |\n|---|---|---|---|---|---|"]
        for _, row in rows.iterrows():
            lines.append(
                f"| `{row['job']}` | {row['number']} | {row['channels']} | {row['value']:.2f} ({row['low']:.2f} to "
                f"{row['high']:.2f}) | {row['reference']} | {self.exact_slope(row)} |"
            )
        return "\n".join(lines)

    def exact_slope(self, row: pd.Series) -> str:
        """What the exact curve of constant filters has over the layers of a fitted slope."""
        rows = self.numbers[self.numbers["subject"].str.endswith("that of constant filters")]
        same = (rows[["job", "number", "channels"]] == row[["job", "number", "channels"]]).all(axis=1)
        return str(rows[same].iloc[0]["reference"]) if same.any() else "-"

    def mean_filters(self) -> str:
        """A row a layer of the two main jobs, and of those with ridge."""
        lines = ["| nets | layer | D, predicted / measured | G, predicted / measured |\n|---|---|---|---|"]
        for job in (BLOCK, DISTANCE, *self.ridge_jobs()):
            rows = self.numbers[(self.numbers["subject"] == MEAN_D) & (self.numbers["job"] == job)]
            for k in range(1, len(rows) + 1):
                D, G = (MEAN_D, job, "mean", "", f"D_{k}"), (MEAN_G, job, "mean", PAPER_NOISE, f"G_{k}")
                lines.append(f"| `{job}` | {k} | {self.say(*D)} | {self.say(*G)} |")
        return "\n".join(lines)

    def count(self, subject: str, above: bool = True, noise: str = "") -> str:
        """``7 of 10``: in how many jobs the interval of single channels is all above, or below, 1."""
        rows = self.numbers[(self.numbers["subject"] == subject) & (self.numbers["channels"] == "each")]
        rows = rows[rows["noise"] == noise]
        clear = rows["low"] > 1 if above else rows["high"] < 1
        return f"{int(clear.sum())} of {len(rows)}"

    def constant(self, job: str) -> str:
        """Relative growth of the constant mode of the layers after the first."""
        row = self.row(CONSTANT, job, number="mean P_0 of layers 2")
        return f"{100 * (row['value'] - 1):.2f} % ({100 * (row['low'] - 1):.2f} to {100 * (row['high'] - 1):.2f})"

    def sheets(self) -> str:
        """Links to the figures of the other nets."""
        others = [job for job in self.jobs() if job not in MAIN]
        sheets = range(1, math.ceil(len(others) / COLUMNS) + 1)
        return ", ".join(f"[{sheet}](figures/depth-1d-others-{sheet}.png)" for sheet in sheets)

    def share(self, job: str) -> str:
        """Mean share of the constant mode in the trained layers after the first, and of white filters."""
        rows = self.tables["filters"]
        rows = rows[(rows["job"] == job) & (rows["curve"] == "trained") & (rows["k"] > 1)]
        return f"{rows['constant'].mean():.3f} (white filters: {rows['white'].iloc[0]:.3f})"

    def curve(self, curve: str, quantity: str, layers: int = 4) -> str:
        """D or G of the nets with strong ridge, the mean over seeds, layer by layer; single channels if measured."""
        rows = self.tables["curves"]
        channels = "mean" if curve == "constant filters" else "each"
        rows = rows[(rows["job"] == STRONG) & (rows["curve"] == curve) & (rows["noise"] == PAPER_NOISE)]
        means = rows[rows["channels"] == channels].groupby("k")[quantity].mean()
        return " | ".join(f"{value:.4f}" for value in means.iloc[:layers])

    def ridge(self) -> str:
        """A line a job with ridge."""
        lines = []
        for job in self.ridge_jobs():
            rows = self.tables["training"][self.tables["training"]["job"] == job]
            lines.append(
                f"- `{job}`, width {rows['width'].iloc[0]}, {rows['epochs'].median():.0f} epochs: D_1/D_4 is "
                f"{self.say(FALLS, job, 'each')} and grows by {self.say(MORE, job, 'each')} with training; G_4/G_1 is "
                f"{self.say(RISES, job, 'each', PAPER_NOISE)}; the constant mode has the share {self.share(job)}."
            )
        return "\n".join(lines)


def render(tables: dict[str, pd.DataFrame]) -> str:
    """The document."""
    t = Text(tables)
    main = (BLOCK, "each")
    return f"""\
<!-- Written by docs/exploratory_page.py from docs/data/depth-1d-*.csv: change those, not this file. -->
# Appendix: exploratory tables, without verdicts

Tomasini, Petrini, Cagnetta and Wyart (arXiv 2210.01506) explain why trained nets lose spatial information with depth by
nets whose filters are constant: those pool, become insensitive to deformations (D falls), and sensitive to noise (G
rises). Here nets are trained on the two-pixel tasks by `scaledetect reproduce depth-1d`; every number below is from the
data of that run, [docs/data](data), and the full table is [depth-1d-exploratory.csv](data/depth-1d-exploratory.csv).
All of it is exploratory: no number here decides a claim. Those that were written down before their runs are in
[hypotheses.toml](hypotheses.toml), and `scaledetect reproduce claims` decides them.

A ratio is the geometric mean over seeds, with a bootstrap interval over seeds (BCa, level 0.95) in brackets, which
few seeds make too narrow (`bootstrap_mean` states by how much): a close one is worth little. Single channels (each) are measured as D and G of all activations of a layer; "mean" is
the average over the channels first, as in the paper's figure. k is the last layer whose receptive field A_k is at most xi.

![D, G and R against depth, single channels](figures/depth-1d-channels.png)

*Single channels: nets at initialisation (dashed) and trained (solid), mean over seeds and one standard error of it.*

![D, G and R against depth, channel means](figures/depth-1d.png)

*The same with channels averaged per layer: figure 7 of the paper. Left the distance task without stride, right the block
task with s = F = 2. A constant-filter net on blocks has D = 0 from A = xi on, which a logarithmic axis does not show.*

## The nets

{t.nets()}

Hinge loss, descent without momentum, batches of 8, learning rate 0.01 times the width, no ridge but where the name says
so. The other nets are drawn on sheets of their own: {t.sheets()}.

## D falls with depth after training

On blocks with s = F = 2 and width 128, D_1/D_4 is {t.say(FALLS, *main)} after training and {t.say(BEFORE, *main)} at
initialisation; seed by seed it grows by a factor of {t.say(MORE, *main)}. For single channels the interval
of that factor is all above 1 in {t.count(MORE)} kinds of nets. At initialisation D is *not* flat: it falls a little already
(its interval is all above 1 in {t.count(BEFORE)}).

{t.deformation()}

The mean over channels tells less where there is no stride: on `{DISTANCE}` its ratio is {t.say(FALLS, DISTANCE, "mean")}.
In the last layers it rises again, before training and after it, and seeds differ more than single channels do.

## G rises with depth

With the noise of the paper's one-dimensional code (rectified) the interval of G_k/G_1 is all above 1 in single channels of
{t.count(RISES, noise=PAPER_NOISE)} kinds of nets, with signed noise in {t.count(RISES, noise="signed")}.
On blocks with s = F = 2, G_4/G_1 is {t.say(RISES, *main, PAPER_NOISE)} with rectified noise,
{t.say(RISES, *main, "rectified_input")} with rectified input and {t.say(RISES, *main, "signed")} with signed noise. That
the rise is made by the rectified noise's mean is the paper's own explanation: what is signed averages out.

{t.noise()}

## The constant mode of the filters

Without ridge it grows, and little: its share in the layers after the first rises by {t.constant(BLOCK)} on `{BLOCK}`, of width 128, by
{t.constant("block-F2-s2-narrow")} at width 16, and by {t.constant(DISTANCE)} on `{DISTANCE}`. White filters have the share
1/F. Single filters hardly change; what makes D fall is what they do together, as the next section shows. With ridge
it is another matter, below.

## What shuffling channels changes

With the channels of each layer permuted, which leaves every filter as it is, D_4 of `{BLOCK}` is
{t.say(SHUFFLED_D, *main)} times as large, and G_4 {t.say(SHUFFLED_G, *main, PAPER_NOISE)} times: most of what training
has changed is undone, so that it lies in how channels are combined. Of single channels
the interval of D is all above 1 in {t.count(SHUFFLED_D)} kinds of nets, and that of G all below it in
{t.count(SHUFFLED_G, above=False, noise=PAPER_NOISE)}.

## What ridge changes: filters become constant

The fall of D appears without ridge, at the first epoch of zero loss. With ridge (`{RIDGE}`: 0.01, as published; `{STRONG}`: ten
times that) training goes on beyond it:

{t.ridge()}

The stronger ridge makes nearly all filters constant, without the task being forgotten (see the table of nets): what the
paper assumes of trained nets is then true of them. D falls far below any other net's, as it does for constant filters on
blocks, where D_4 = 0. The exact theory of constant filters, which knows nothing of the trained nets, gives their D and
G up to layer 3, to a few per cent (single channels below); at layer 4, where its D is 0, it is off for G too:

| `{STRONG}` | k = 1 | 2 | 3 | 4 |
|---|---|---|---|---|
| D_k at initialisation | {t.curve("initial", "D")} |
| D_k trained | {t.curve("trained", "D")} |
| D_k of constant filters, exact | {t.curve("constant filters", "D")} |
| G_k at initialisation | {t.curve("initial", "G")} |
| G_k trained | {t.curve("trained", "G")} |
| G_k of constant filters, exact | {t.curve("constant filters", "G")} |

Shuffling channels changes D_4 by a factor of {t.say(SHUFFLED_D, STRONG, "each")}.

## Slopes against A

Fits over the layers with A_k below xi, where there are three or more. The predicted exponents hold for constant filters and
1 << A << xi, which few layers below so small a xi are not: the exact curve of constant filters has other slopes over the
same layers, and the last columns ask for those. Without ridge single channels are flatter than both; with the strong ridge
D has the slope {t.say(SLOPE_D, STRONG, "each")} and G {t.say(SLOPE_G, STRONG, "each", PAPER_NOISE)}, where constant filters
have {t.row(SLOPE_D, STRONG, "each")["reference"]} and {t.row(SLOPE_G, STRONG, "each", PAPER_NOISE)["reference"]}.

{t.slopes()}

## The theory of a net's own mean filters

`theory.mean_filter_sensitivities` puts the filters of a trained net, averaged over all channels of a layer, in the place
of the constant filter, without a free parameter. For `{STRONG}` it agrees with the measured D_3 and G_3 of the channel mean:
predicted over measured is {t.say(MEAN_D, STRONG, "mean", "", "D_3")} and {t.say(MEAN_G, STRONG, "mean", PAPER_NOISE, "G_3")}.
Without ridge it fails: on blocks predicted D stays flat where the measured one falls, on the distance task seeds differ too
much to tell. There a mean filter is what is left of many filters of both signs that nearly cancel, and the theory, which is
linear, has no ReLU to choose among them.

{t.mean_filters()}

## Background noise, width, other filters

- **Background noise** of standard deviation 0.5 on every pixel (an active pixel has 5.7) leaves the fall of D: D_1/D_4
  grows by {t.say(MORE, "block-F2-s2-background", "each")} with training. The rise of G is weaker, G_4/G_1 =
  {t.say(RISES, "block-F2-s2-background", "each", PAPER_NOISE)}.
- **Width**: at width 16 D_1/D_4 grows by {t.say(MORE, "block-F2-s2-narrow", "each")}, at width 128 by
  {t.say(MORE, *main)}: width narrows the spread between seeds and is not needed for the trend.
- **Two dimensions**: at L = 16 and width 16 the nets generalise poorly from 200 images (see the table of nets), and the trend
  on blocks is weak, {t.say(MORE, "block-2d-F2-s2", "each")}.
- Filters and strides that break the sum rule (`block-F3-s2`, where s does not divide F) learn to be stable all the same: D
  of a trained net falls by {t.say(FALLS, "block-F3-s2", "each")} where constant filters reach a plateau.

## Again

`scaledetect reproduce depth-1d --output FOLDER` takes eight minutes on two cores. Copy `depth-1d-curves.csv`,
`-filters.csv`, `-training.csv` and the JSON file beside them to `docs/data`, and run `python docs/exploratory_page.py`.
`--size paper` (width 1000, ten seeds, ridge, 20000 epochs) has not been run for this page.
"""


def main() -> None:
    """Write the text, the table of exploratory numbers and the figures."""
    tables = read_data()
    write_table(DOCS / "data" / "depth-1d-exploratory.csv", exploratory(tables)["exploratory"])
    figures = {f"depth-1d{part and '-' + part}": figure for part, figure in draw_depth(tables).items()}
    for name, figure in figures.items():
        with replacing(DOCS / "figures" / f"{name}.png") as temporary:
            figure.savefig(temporary, dpi=110)
    with replacing(DOCS / "theory-vs-experiment-exploratory.md") as temporary:
        temporary.write_text(render(tables), encoding="utf-8")


if __name__ == "__main__":
    main()
