"""Schema of the record of one run: its fields, their ranges, and the relations between them."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from scaledetect._base.canonical_json import content_hash
from scaledetect.leaderboard.records.environment import Environment

__all__ = ["KEYED", "NAME_PATTERN", "Record", "Scores", "Served", "record_schema", "run_key"]

_Count = Annotated[int, Field(ge=0)]
_Positive = Annotated[int, Field(ge=1)]
_Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Measured = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
# A name becomes part of a path: it cannot begin with a point nor hold a separator.
NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"

_Name = Annotated[str, Field(pattern=NAME_PATTERN)]

KEYED = (
    "card", "card_version", "stream_version", "data_digest", "entry", "entry_version", "n_train", "seed",
    "configuration",
)  # fmt: skip
"""Fields that say which run it is: `run_key` is the hash of these."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Served(_Table):
    """Rows that the entry was given while it was fitted."""

    train: _Count
    validation: _Count
    test: Annotated[int, Field(ge=0, le=0, description="Always 0: an entry that asks for test rows has no score.")]


class Scores(_Table):
    """Scores with their errors. Null is what was not measured.

    Attributes
    ----------
    n_test, n_wrong : int
        Test images, and those given the wrong label.
    test_error, test_error_stderr : float
        n_wrong / n_test, and its binomial standard error.
    train_error, validation_error : float or None
    D, G, R, D_stderr, G_stderr, R_stderr : float or None
        Sensitivities of the output of a net, with their standard errors.
    served : Served
    """

    n_test: _Positive
    n_wrong: _Count
    test_error: _Rate
    test_error_stderr: _Rate
    train_error: _Rate | None = None
    validation_error: _Rate | None = None
    D: _Measured | None = None
    D_stderr: _Measured | None = None
    G: _Measured | None = None
    G_stderr: _Measured | None = None
    R: _Measured | None = None
    R_stderr: _Measured | None = None
    served: Served

    @model_validator(mode="after")
    def _consistent(self) -> Scores:
        if self.n_wrong > self.n_test:
            raise ValueError(f"n_wrong={self.n_wrong} is more than n_test={self.n_test}")
        if self.test_error != self.n_wrong / self.n_test:
            raise ValueError(f"test_error={self.test_error} is not n_wrong / n_test = {self.n_wrong} / {self.n_test}")
        expected = math.sqrt(self.test_error * (1 - self.test_error) / self.n_test)
        if not math.isclose(self.test_error_stderr, expected, rel_tol=1e-9, abs_tol=1e-15):
            raise ValueError(f"test_error_stderr={self.test_error_stderr} is not the binomial one, {expected}")
        return self


class Record(_Table):
    """One run: what was asked, what came out, and on what it was computed.

    Attributes
    ----------
    schema_version : int
    card, card_version, stream_version, data_digest
        The card by name and version, the version of the stream, and the digest of the card's data.
    entry, entry_version, exact
        The entry by name and version; whether it gives the same bits on any machine.
    n_train, seed : int
        Training images; root that the seeds of data, initial weights and order derive from.
    configuration : dict
        The entry's effective configuration.
    status : {"ok", "diverged", "failed"}
    reason : str
        Why there are no scores; empty for "ok".
    scores : Scores or None
        None unless `status` is "ok".
    fit_seconds, predict_seconds, wall_seconds : float
        Wall time of the fit, of the predictions, and of the whole run.
    environment : Environment
    key : str
        `run_key` of the fields in `KEYED`.
    sha256 : str
        SHA-256 of the canonical JSON of all the other fields.
    """

    schema_version: Literal[1] = 1
    card: _Name
    card_version: _Positive
    stream_version: _Positive
    data_digest: _Hash
    entry: _Name
    entry_version: _Positive
    exact: bool
    n_train: _Positive
    seed: Annotated[int, Field(ge=0)]
    configuration: dict[str, JsonValue]
    status: Literal["ok", "diverged", "failed"]
    reason: Annotated[str, Field(max_length=2000)]
    scores: Scores | None
    fit_seconds: _Measured
    predict_seconds: _Measured
    wall_seconds: _Measured
    environment: Environment
    key: _Hash
    sha256: _Hash

    @model_validator(mode="after")
    def _consistent(self) -> Record:
        if (self.status == "ok") != (self.scores is not None):
            raise ValueError(f"status={self.status!r}: scores go with 'ok', and only with it")
        if (self.status == "ok") != (not self.reason):
            raise ValueError(f"status={self.status!r}: a reason goes with 'diverged' and 'failed', and only with them")
        if self.fit_seconds + self.predict_seconds > 1.001 * self.wall_seconds + 0.001:
            raise ValueError(f"wall_seconds={self.wall_seconds} is less than fit and predictions took together")
        if self.key != run_key(vars(self)):
            raise ValueError("key is not the hash of the fields that name the run")
        return self

    @classmethod
    def seal(cls, **content: Any) -> Record:
        """The record of these fields, with its key and its hash computed.

        Raises
        ------
        pydantic.ValidationError
            A `ValueError`, where a field does not hold what it may.
        """
        content = {"schema_version": 1, **content}
        key = run_key({name: content[name] for name in KEYED})
        draft = cls(**content, key=key, sha256="0" * 64)
        return draft.model_copy(update={"sha256": content_hash(draft.model_dump(exclude={"sha256"}))})

    @property
    def run(self) -> str:
        """How messages call it, such as ``block-2d-L16-xi8 / chance / P=64 / seed 0``."""
        return f"{self.card} / {self.entry} / P={self.n_train} / seed {self.seed}"


def run_key(fields: dict[str, Any]) -> str:
    """Hash of the fields that say which run it is: exactly those in `KEYED`."""
    return content_hash({name: fields[name] for name in KEYED})


def record_schema() -> dict[str, Any]:
    """The published JSON Schema of a record; ``docs/record-schema.json`` holds it."""
    return Record.model_json_schema()
