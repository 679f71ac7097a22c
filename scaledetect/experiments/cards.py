"""Cards of experiments: task, net, training, seeds and measurement as one TOML file; the recipe of frozen data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from scaledetect._base.arguments import one_of, text
from scaledetect._base.canonical_json import content_hash
from scaledetect._base.errors import InvalidValueError, unknown_name
from scaledetect.perturbations.noise import NOISE_MODES, NoiseMode
from scaledetect.results import Pooling
from scaledetect.task.card_files import Table, TaskTable, parse_card, read_card_file
from scaledetect.task.cards import DIGEST_LENGTH

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = [
    "REGIMES",
    "ExperimentCard",
    "Measurement",
    "NetRecipe",
    "Regime",
    "SeedRange",
    "Training",
    "list_experiments",
    "load_experiment_card",
]

Regime = Literal["initialisation", "trained", "ridge", "constant-filters"]
REGIMES: tuple[Regime, ...] = ("initialisation", "trained", "ridge", "constant-filters")

FOLDER = "scaledetect.tasks.experiments"

DIGEST_SEED = 0
"""Seed of the unsplit stream that the digest of a card pins."""

_Count = Annotated[int, Field(ge=1)]
_Rows = Annotated[int, Field(ge=0)]
# TOML knows arrays only, which strict models do not take for tuples.
_PerLayer = _Count | Annotated[tuple[_Count, ...], Field(min_length=1, strict=False)]


class NetRecipe(Table):
    """The numbers of a `PoolingNet`, or, without `width`, of a `ConstantFilterNet`."""

    filter_size: _PerLayer
    stride: _PerLayer
    depth: _Count
    width: _Count | None = None
    gain: Literal["critical", "paper"] | None = None

    @model_validator(mode="after")
    def _gain_goes_with_width(self) -> NetRecipe:
        if self.width is None and self.gain is not None:
            raise InvalidValueError("gain goes with width: constant filters have none")
        return self

    @property
    def pooling(self) -> Pooling:
        """Filter side and stride of each layer."""
        return Pooling.of(self.filter_size, self.stride, self.depth)

    def spec(self, dim: int) -> NetSpec:
        """The net, but for its seed."""
        from scaledetect.nets import NetSpec

        assert self.width is not None
        options = {"filter_size": self.filter_size, "stride": self.stride, "depth": self.depth, "width": self.width}
        return NetSpec("pooling", {"dim": dim, **options, **({} if self.gain is None else {"gain": self.gain})})


class Training(Table):
    """Rows, the fields of `TrainConfig`, the nets to start from, and what is measured on the way."""

    n_train: _Count
    n_validation: _Rows = 0
    n_test: _Count
    batch_size: _Count = 8
    lr: Annotated[float, Field(gt=0)] = 0.01
    ridge: Annotated[float, Field(ge=0)] = 0.0
    max_epochs: _Count
    zero_multiple: Annotated[float, Field(ge=1)] = 1.0
    start_from: str | None = None
    track_every: _Count | None = None
    track_until: _Count | None = None
    track_draws: _Count | None = None
    track_seeds: _Count | None = None

    @model_validator(mode="after")
    def _tracking_is_whole(self) -> Training:
        given = [
            value is not None for value in (self.track_every, self.track_until, self.track_draws, self.track_seeds)
        ]
        if any(given) and not all(given):
            raise InvalidValueError("track_every, track_until, track_draws and track_seeds go together")
        return self

    @property
    def config(self) -> TrainConfig:
        """How the nets are trained."""
        from scaledetect.training import TrainConfig

        names = ("batch_size", "lr", "ridge", "max_epochs", "zero_multiple")
        return TrainConfig(**{name: getattr(self, name) for name in names})

    @property
    def track(self) -> tuple[int, ...]:
        """Epochs after which the first `track_seeds` nets are measured; 0 is before training."""
        if self.track_every is None or self.track_until is None:
            return ()
        return tuple(range(0, min(self.track_until, self.max_epochs) + 1, self.track_every))

    def efolds(self, depth: int) -> float:
        """e-folds by which ridge shrinks a weight that nothing else moves, in `max_epochs`: sum of 2 lr ridge / K."""
        steps = -(-self.n_train // self.batch_size) * self.max_epochs
        return steps * 2 * self.lr * self.ridge / depth


class SeedRange(Table):
    """Root seeds first .. first + count - 1; the weights of the first `published` ones come with the repository."""

    first: _Rows = 0
    count: _Count
    published: _Rows = 0

    @property
    def all(self) -> tuple[int, ...]:
        """The seeds."""
        return tuple(range(self.first, self.first + self.count))


def _check_draws(value: int) -> int:
    if value % 100:
        raise InvalidValueError("must be a multiple of 100: twice the blocks of the jackknife")
    return value


class Measurement(Table):
    """Draws of each measurement, noise modes, and images that coherent shares are measured on, if they are."""

    draws: Annotated[int, Field(ge=100), AfterValidator(_check_draws)]
    noise: Annotated[tuple[NoiseMode, ...], Field(min_length=1, strict=False)] = NOISE_MODES
    share_draws: Annotated[int, Field(ge=100), AfterValidator(_check_draws)] | None = None


class ExperimentCard(Table):
    """The card of an experiment: everything its data are a function of.

    Attributes
    ----------
    name : str
        Equal to the stem of its file.
    display_name : str
        Name for tables and figures.
    version : int
        Raised when any field that moves the data changes.
    regime : {"initialisation", "trained", "ridge", "constant-filters"}
    task : Task
    net : NetRecipe
    training : Training or None
        For the regimes "trained" and "ridge" only; ridge is positive for the latter only.
    seeds : SeedRange
    measurement : Measurement
    digest : str
        ``task.digest(1000)``.
    citation : str
    """

    name: str
    display_name: str
    version: _Count
    regime: Regime
    task: TaskTable
    net: NetRecipe
    training: Training | None = None
    seeds: SeedRange
    measurement: Measurement
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    citation: str

    @model_validator(mode="after")
    def _regime_fits(self) -> ExperimentCard:
        trained = self.regime in ("trained", "ridge")
        if trained != (self.training is not None):
            raise InvalidValueError(f"regime={self.regime!r} {'needs' if trained else 'has no'} [training]")
        if self.training is not None and (self.training.ridge > 0) != (self.regime == "ridge"):
            raise InvalidValueError(f"ridge={self.training.ridge} does not go with regime={self.regime!r}")
        if (self.net.width is None) != (self.regime == "constant-filters"):
            raise InvalidValueError(f"width={self.net.width} does not go with regime={self.regime!r}")
        if not trained and self.seeds.published:
            raise InvalidValueError("published goes with [training]: other nets are built from their seeds")
        if self.seeds.published > self.seeds.count:
            raise InvalidValueError(f"published={self.seeds.published} is more than count={self.seeds.count}")
        return self

    @property
    def recipe_hash(self) -> str:
        """SHA-256 of all that the data depend on: the card without its name, its display name and its citation."""
        plain = self.model_dump(exclude={"name", "display_name", "citation", "task"}) | {"task": asdict(self.task)}
        return content_hash(plain)

    def current_digest(self) -> str:
        """What `digest` should be: that of the data as this installation samples them."""
        return self.task.digest(DIGEST_LENGTH, seed=DIGEST_SEED)


def list_experiments(regime: Regime | None = None) -> list[str]:
    """Names of the experiments that come with the package, sorted.

    Parameters
    ----------
    regime : {"initialisation", "trained", "ridge", "constant-filters"}, optional
        Only those of this regime.

    Examples
    --------
    >>> import scaledetect as sd
    >>> "block-1d-L128-initial" in sd.list_experiments("initialisation")
    True
    """
    if regime is None:
        return sorted(_names())
    one_of("regime", regime, REGIMES)
    return [name for name in sorted(_names()) if load_experiment_card(name).regime == regime]


def load_experiment_card(name: str) -> ExperimentCard:
    """The card of this name; or, for a name ending in ``.toml``, the one in that file.

    Raises
    ------
    KeyError
        For a name no experiment has; the message lists the close ones.
    ValueError
        For a file that is no card. The message names the file, the key, and the known keys close to it.
    """
    if text("name", name, kind="the name of an experiment, or the path of a TOML file").endswith(".toml"):
        return _parse(read_card_file(name), name, Path(name).stem)
    return _shipped(name)


@cache
def _shipped(name: str) -> ExperimentCard:
    if name not in set(_names()):
        raise unknown_name("experiment", name, _names())
    text = files(FOLDER).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return _parse(text, f"tasks/experiments/{name}.toml", name)


def _names() -> Iterator[str]:
    return (entry.name[:-5] for entry in files(FOLDER).iterdir() if entry.name.endswith(".toml"))


def _parse(text: str, file: str, stem: str) -> ExperimentCard:
    tables: dict[str, type[Table]] = {
        "net": NetRecipe,
        "training": Training,
        "seeds": SeedRange,
        "measurement": Measurement,
    }
    return parse_card(text, file, stem, ExperimentCard, tables)
