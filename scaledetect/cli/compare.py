"""``scaledetect compare``: measurement beside exact theory, as tables, figures and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledetect.cli.options import AsJson, Draws, Seed, noise_of, print_json

if TYPE_CHECKING:
    from scaledetect.perturbations.noise import Noise, NoiseMode
    from scaledetect.results.theory_comparison import TheoryComparison
    from scaledetect.task.cards import Card

Names = Annotated[list[str] | None, typer.Argument(metavar="[CARDS]...", help="Cards; default: every theory card.")]
Modes = Annotated[list[str] | None, typer.Option("--noise", metavar="MODE", help="Form of the noise; may be repeated.")]
Folder = Annotated[Path | None, typer.Option(help="Folder for figures (PNG, SVG) and results (JSON).")]


FORMATS = ("png", "svg")
"""Of the figures."""


def compare(
    cards: Names = None,
    n: Draws = 20_000,
    noise: Modes = None,
    seed: Seed = None,
    output: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Measure the nets of each card and put the exact theory beside, with error bars and z-scores."""
    from scaledetect._base.files import make_folder
    from scaledetect.task.cards import list_tasks, load_card

    loaded = [load_card(name) for name in cards or list_tasks("theory")]
    noises = [noise_of(mode) for mode in noise or ["signed"]]
    folder = None if output is None else make_folder(output)
    done: list[TheoryComparison] = []
    for card in loaded:
        found = _compare(card, n, noises, seed)
        done += found
        if not as_json:
            _show(card, found)
        if folder is not None:
            _store(folder, card, found)
    if folder is not None:
        _store_overview(folder, done)
    if as_json:
        print_json([one.to_dict() for one in done])
    else:
        _summarise(done, folder)


def _compare(card: Card, n: int, noises: list[Noise], seed: int | None) -> tuple[TheoryComparison, ...]:
    from scaledetect.cli.tables import progress
    from scaledetect.sensitivity.beside_theory import compare_with_theory

    with progress(card.name, n) as bar:
        return compare_with_theory(
            card, n=n, noise=noises, seed=seed, progress=lambda now: bar.show(card.name, now.done, n)
        )


def _by_mode(found: tuple[TheoryComparison, ...] | list[TheoryComparison]) -> dict[NoiseMode, list[TheoryComparison]]:
    modes = dict.fromkeys(one.noise.mode for one in found)
    return {mode: [one for one in found if one.noise.mode == mode] for mode in modes}


def _show(card: Card, found: tuple[TheoryComparison, ...]) -> None:
    from scaledetect.cli.tables import print_comparisons

    for mode, group in _by_mode(found).items():
        title = f"{card.name}: {mode} noise, sigma = {group[0].theory.sigma:.4g}, n = {group[0].measured.n}"
        print_comparisons(title, group)


def _store(folder: Path, card: Card, found: tuple[TheoryComparison, ...]) -> None:
    from scaledetect.plots.sensitivities import plot_sensitivities
    from scaledetect.plots.style import save_figure

    for mode, group in _by_mode(found).items():
        measured = {one.net.label: one.measured for one in group}
        exact = {one.net.label: one.theory for one in group}
        figure = plot_sensitivities(measured, exact, title=_title(card, mode))
        save_figure(figure, *(folder / f"{card.name}-{mode}.{ending}" for ending in FORMATS))


def _title(card: Card, mode: NoiseMode) -> str:
    noise = {"signed": "signed noise"}.get(mode, mode.replace("_", " "))
    name = card.display_name.replace("xi =", r"$\xi$ =")
    return f"{name}; {noise}"


def _store_overview(folder: Path, done: list[TheoryComparison]) -> None:
    from scaledetect._base.files import write_json
    from scaledetect._base.versions import versions
    from scaledetect.plots.overview import plot_overview
    from scaledetect.plots.style import save_figure

    save_figure(plot_overview(done), *(folder / f"overview.{ending}" for ending in FORMATS))
    write_json(folder / "compare.json", {"versions": versions(), "comparisons": [one.to_dict() for one in done]})


def _summarise(done: list[TheoryComparison], folder: Path | None) -> None:
    from scaledetect.cli.tables import print_summary

    rows = []
    for name in dict.fromkeys(one.card for one in done):
        for mode, group in _by_mode([one for one in done if one.card == name]).items():
            rows.append((name, mode, *_summary(group)))
    print_summary(rows)
    typer.echo("Layers and nets of one card share their draws, so their z-scores move together. The joint test,")
    typer.echo("Hotelling's T^2 over layers, takes that into account: its smallest p of D, G, R and nets, times their")
    typer.echo("number. An unlucky draw lifts max |z|; a bias makes the joint p small, and again with another seed.")
    typer.echo(f"{sum(one.seconds for one in done):.0f} s of computing")
    if folder is not None:
        typer.echo(f"figures and compare.json in {folder}")


def _summary(group: list[TheoryComparison]) -> tuple[str, ...]:
    """Curves, points, share of |z| < 2 and the one expected, largest |z|, and the p-value of the joint tests."""
    import numpy as np
    from scipy.special import stdtr

    from scaledetect.cli.tables import QUANTITIES

    z = np.abs(np.concatenate([one.z[q] for one in group for q in QUANTITIES]))
    z = z[~np.isnan(z)]
    expected = 1 - 2 * stdtr(group[0].measured.n_blocks - 1, -2)
    p_values = [p for one in group for p in one.p_values.values() if p == p]
    joint = f"{min(1.0, len(p_values) * min(p_values)):.2g}" if p_values else "-"
    return str(len(group)), str(z.size), f"{(z < 2).mean():.0%}", f"{expected:.0%}", f"{z.max():.2f}", joint
