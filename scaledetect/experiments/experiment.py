"""A frozen experiment: its card, its data as `Sensitivities` by seed, and its nets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import one_of, text
from scaledetect._base.errors import bad_value
from scaledetect.experiments.cards import FOLDER, ExperimentCard, Regime, load_experiment_card
from scaledetect.experiments.lines import HASHES, Line, file_hash, read_hashes, read_lines, sensitivities_of
from scaledetect.perturbations.noise import NoiseMode
from scaledetect.results import Pooling, Sensitivities
from scaledetect.task.task import Task

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from scaledetect.experiments.scoring import PredictionScore
    from scaledetect.nets import NetSpec
    from scaledetect.theory._contract import Prediction

__all__ = ["Channels", "Curve", "Experiment", "Shares", "Track", "load_experiment"]

Channels = Literal["each", "mean"]
Curve = Literal["net", "shuffled", "mean-filters"]

COLLAPSED_ERROR = 0.25
"""A trained net that gets more test images wrong than this has not learnt the task."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shares:
    """Coherent share of the noise: `share` and `stderr`, each of shape (seeds, K), in the order of `seeds`."""

    seeds: tuple[int, ...]
    share: FloatArray
    stderr: FloatArray
    draws: int


@dataclass(frozen=True, eq=False)
class Track:
    """A net along its training.

    `epochs`, 0 for before training, and `validation_error`, NaN where it is not known, have shape (E,); `D`, `G` and
    `R` have shape (E, K).
    """

    epochs: NDArray[np.int64]
    validation_error: FloatArray
    D: FloatArray
    G: FloatArray
    R: FloatArray
    noise: NoiseMode
    draws: int


@dataclass(frozen=True, eq=False)
class Experiment:
    """Frozen data of an experiment; `load_experiment` gives one.

    Attributes
    ----------
    card : ExperimentCard
    data : Path
        The data file.
    data_hash : str
        SHA-256 (hex) of the data file.
    header, lines : dict, tuple of dict
        What is in it, as `scaledetect.experiments.lines` describes.
    name, regime, task, pooling, seeds, noises
        Those of the card; `pooling` has filter side and stride by layer, `seeds` the root seeds, `noises` the modes.
    layers : tuple of str
    A : ndarray of float64, shape (K,)
        Effective receptive field, in input pixels.
    spec : NetSpec or None
        The pooling net; None for constant filters.
    """

    card: ExperimentCard
    data: Path
    data_hash: str
    header: Line = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)

    def __repr__(self) -> str:
        return f"<Experiment {self.name}, {self.regime}, {len(self.layers)} layers, {len(self.seeds)} nets>"

    # ------------------------------------------------------------------ what the card says

    @property
    def name(self) -> str:
        """Name of the card."""
        return self.card.name

    @property
    def regime(self) -> Regime:
        """State of the nets."""
        return self.card.regime

    @property
    def task(self) -> Task:
        """The task."""
        return self.card.task

    @property
    def pooling(self) -> Pooling:
        """Filter side and stride of each layer."""
        return self.card.net.pooling

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return tuple(self.header["layers"])

    @property
    def A(self) -> FloatArray:
        """Effective receptive field of each layer, in input pixels, shape (K,)."""
        return np.array(self.header["A"])

    @property
    def seeds(self) -> tuple[int, ...]:
        """Root seeds of the nets."""
        return self.card.seeds.all

    @property
    def noises(self) -> tuple[NoiseMode, ...]:
        """Noise modes the nets were measured with."""
        return self.card.measurement.noise

    @property
    def spec(self) -> NetSpec | None:
        """The pooling net but for its weights; None for constant filters."""
        return None if self.card.net.width is None else self.card.net.spec(self.task.dim)

    # ------------------------------------------------------------------ data

    @property
    def measured(self) -> tuple[Sensitivities, ...]:
        """`measurements` with the defaults: rectified noise, the paper's, and single channels."""
        return self.measurements()

    def measurements(
        self, noise: NoiseMode = "rectified_noise", channels: Channels = "each", curve: Curve = "net"
    ) -> tuple[Sensitivities, ...]:
        """Sensitivities of each net, in the order of `seeds`.

        Parameters
        ----------
        noise : {"signed", "rectified_noise", "rectified_input"}, default "rectified_noise"
        channels : {"each", "mean"}, default "each"
            Activations as they are, or averaged over channels first.
        curve : {"net", "shuffled", "mean-filters"}, default "net"
            The nets; trained ones with their channels shuffled; or the exact theory of each net's mean filters. The
            latter two with rectified noise only, and mean filters for ``channels="mean"``.

        Raises
        ------
        ValueError
            For what the experiment has no data of.
        """
        one_of("noise", noise, self.noises)
        one_of("channels", channels, ("each", "mean"))
        one_of("curve", curve, ("net", "shuffled", "mean-filters"))
        found = {
            line["seed"]: sensitivities_of(line, self.header, self.header["sigma"])
            for line in self._of("curve")
            if (line["noise"], line["channels"], line["curve"]) == (noise, channels, curve)
        }
        return tuple(self._by_seed(found, {"noise": noise, "channels": channels, "curve": curve}))

    def shares(self, noise: NoiseMode = "rectified_noise") -> Shares:
        """Coherent share of the noise by net and layer; signed and rectified noise only."""
        one_of("noise", noise, self.noises)
        found = {line["seed"]: line for line in self._of("share") if line["noise"] == noise}
        lines = list(self._by_seed(found, {"noise": noise}))
        share, stderr = (np.array([line[name] for line in lines], dtype=float) for name in ("share", "stderr"))
        return Shares(self.seeds, share, stderr, lines[0]["draws"])

    @cached_property
    def tracks(self) -> dict[int, Track]:
        """What was measured along training, by seed; empty where nothing was."""
        return {line["seed"]: _track(line) for line in self._of("track")}

    def score(
        self,
        prediction: Prediction,
        *,
        noise: NoiseMode = "rectified_noise",
        channels: Channels = "each",
        fitted_layers: int = 0,
        exact: bool = False,
    ) -> PredictionScore:
        """Hold a prediction against what was measured, in the layers whose A is below the xi of the task.

        Parameters
        ----------
        prediction : Sensitivities, sequence or mapping of them
            One for all nets, one a net in the order of `seeds`, or one for each of some seeds, at least three. Taken as
            exact. A layer that is NaN is a miss: as much as being off by a factor of ten.
        noise, channels
            What of the measurements it is held against, as in `measurements`.
        fitted_layers : int, default 0
            First layers that the prediction has been fitted to, which are not scored.
        exact : bool, default False
            Whether it claims to be exact: then its p-value is computed.

        Returns
        -------
        PredictionScore
            ``.D``, ``.G`` and ``.R`` with ``value``, ``square``, ``stderr`` and ``within_10_percent``.

        Raises
        ------
        TypeError, ValueError
            For infinite or negative numbers, other layers, or a prediction that says it is of something else.

        Notes
        -----
        Nets that have collapsed are left out, for all predictions alike.

        Examples
        --------
        >>> import scaledetect as sd
        >>> e = sd.load_experiment("block-1d-L128-initial")
        >>> t = sd.theory.at_initialisation(
        ...     e.task, filter_size=2, stride=2, depth=7, noise=sd.Noise("rectified_noise"), n=200
        ... )
        >>> e.score(t).D.value < 0.1
        True
        """
        from scaledetect.experiments.scoring import score_prediction

        return score_prediction(
            self, prediction, noise=noise, channels=channels, fitted_layers=fitted_layers, exact=exact
        )

    @property
    def trainings(self) -> pd.DataFrame:
        """One row a net: seed, hash of its weights, and for a trained one how training ended."""
        import pandas as pd

        return pd.DataFrame([{key: value for key, value in line.items() if key != "kind"} for line in self._of("net")])

    @property
    def collapsed(self) -> tuple[int, ...]:
        """Seeds of the nets without D in a layer with A < xi, or with more than a quarter of the test rows wrong."""
        inside = np.less(self.A, float(self.task.xi))
        wrong = {line["seed"] for line in self._of("net") if (line.get("test_error") or 0) > COLLAPSED_ERROR}
        blind = {seed for seed, s in zip(self.seeds, self.measured, strict=True) if not np.isfinite(s.D[inside]).all()}
        return tuple(sorted(wrong | blind))

    def _of(self, kind: str) -> Iterator[Line]:
        return (line for line in self.lines if line["kind"] == kind)

    def _by_seed(self, found: dict[int, Any], asked: dict[str, str]) -> Iterator[Any]:
        if missing := [seed for seed in self.seeds if seed not in found]:
            text = f"{self.name!r} has no such data of the seeds {missing}"
            raise bad_value(", ".join(asked), tuple(asked.values()), text, "see scaledetect.experiments.lines")
        return (found[seed] for seed in self.seeds)

    # ------------------------------------------------------------------ nets

    @property
    def weights(self) -> Path:
        """Where the published weights are in a copy of the repository; a wheel has none."""
        return self.data.parent.parent / "weights" / f"{self.name}.npz"

    @property
    def published_seeds(self) -> tuple[int, ...]:
        """Seeds of the nets whose weights are there: all that are not trained, and the published ones."""
        if self.card.training is None:
            return self.seeds
        return self.seeds[: self.card.seeds.published] if self.weights.exists() else ()

    def nets(self, seeds: Iterable[int] | None = None, *, cache: str | Path | None = None) -> list[nn.Module]:
        """The nets themselves, in eval mode: those that were measured, bit for bit, where their weights are there.

        Parameters
        ----------
        seeds : iterable of int, optional
            Some of `seeds`; all by default.
        cache : str or Path, optional
            Folder in which nets without published weights are trained, once: on another processor than that of the data
            they are other nets of the same distribution. By default ``scaledetect/experiments/NAME`` in the user's
            cache folder (``XDG_CACHE_HOME``, else ``~/.cache``).

        Raises
        ------
        ValueError
            For a seed the experiment has not.
        """
        from scaledetect.experiments.making import initial_net, trained_nets
        from scaledetect.experiments.weights import load_weights

        chosen = list(self.seeds if seeds is None else seeds)
        if unknown := [seed for seed in chosen if seed not in self.seeds]:
            raise bad_value("seeds", unknown, f"must be some of those of {self.name!r}", f"it has {self.seeds}")
        if self.card.training is None:
            return [initial_net(self.card, seed) for seed in chosen]
        spec, published = self.spec, [seed for seed in chosen if seed in self.published_seeds]
        assert spec is not None
        found: dict[int, nn.Module] = {}
        if published:
            _check_hash(self.weights, file_hash(self.weights))
            found |= load_weights(self.weights, spec, published)
        if others := [seed for seed in chosen if seed not in found]:
            found |= trained_nets(self.card, others, _cache(cache) / self.name)
        return [found[seed] for seed in chosen]


def load_experiment(name: str) -> Experiment:
    """The frozen experiment of this name.

    Parameters
    ----------
    name : str
        One of `scaledetect.list_experiments()`.

    Returns
    -------
    Experiment

    Raises
    ------
    KeyError
        For a name no experiment has; the message lists the close ones.
    ValueError
        For data that are not those of the card.

    Examples
    --------
    >>> import scaledetect as sd
    >>> e = sd.load_experiment("block-1d-L128-initial")
    >>> e
    <Experiment block-1d-L128-initial, initialisation, 7 layers, 40 nets>
    >>> e.measured[0].n
    1000
    """
    return _loaded(text("name", name, kind="the name of an experiment"))


@cache
def _loaded(name: str) -> Experiment:
    card = load_experiment_card(name)
    with as_file(files(FOLDER)) as folder:
        path = folder / "data" / f"{name}.jsonl"
    e = read_experiment(card, path)
    _check_hash(path, e.data_hash)
    return e


def read_experiment(card: ExperimentCard, path: Path) -> Experiment:
    """An experiment with the data of a file, which is checked against the card."""
    header, lines = read_lines(path)
    if header["recipe"] != card.recipe_hash:
        text = f"was made by another recipe than that of the card {card.name!r}"
        raise bad_value("data", str(path), text, "make it again: scaledetect experiment")
    return Experiment(card, path, file_hash(path), header, tuple(lines))


def _check_hash(path: Path, found: str) -> None:
    """An error where a frozen file is not what it was."""
    frozen = read_hashes(path.parent.parent / "data" / HASHES).get(f"{path.parent.name}/{path.name}")
    if found != frozen:
        text = f"has the SHA-256 {found}, and was frozen with {frozen}"
        raise bad_value("data", str(path), text, "install the package again, or restore the file")


def _track(line: Line) -> Track:
    columns = {name: np.array(line[name], dtype=float) for name in ("D", "G", "R", "validation_error")}
    return Track(epochs=np.array(line["epochs"]), noise=cast(NoiseMode, line["noise"]), draws=line["draws"], **columns)


def _cache(folder: str | Path | None) -> Path:
    if folder is not None:
        return Path(folder)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "scaledetect" / "experiments"
