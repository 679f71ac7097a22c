"""Records made up for tests, without any run."""

from __future__ import annotations

import math
from typing import Any

import scaledetect as sd
from scaledetect.leaderboard.records import Environment, Record
from scaledetect.sampling.keys import STREAM_VERSION

ELSEWHERE = Environment(
    versions={"python": "3.11.0"},
    system="Linux",
    machine="x86_64",
    cpu="a processor",
    threads=1,
    instructions={"torch": "AVX2"},
    library_threads={"torch": 1},
)


def sample_scores(n_wrong: int = 64, n_test: int = 256, **more: float) -> dict[str, Any]:
    error = n_wrong / n_test
    return {
        "n_test": n_test,
        "n_wrong": n_wrong,
        "test_error": error,
        "test_error_stderr": math.sqrt(error * (1 - error) / n_test),
        "served": {"train": 32, "validation": 0, "test": 0},
        **more,
    }


def sample_record(scores: dict[str, Any] | None = None, card: str = "block-2d-L16-xi8", **changes: Any) -> Record:
    found = sd.load_card(card)
    content: dict[str, Any] = {
        "card": card,
        "card_version": found.version,
        "stream_version": STREAM_VERSION,
        "data_digest": found.digest,
        "entry": "chance",
        "entry_version": 1,
        "exact": True,
        "n_train": 32,
        "seed": 0,
        "configuration": {"depth": None, "rate": 0.1, "sizes": [1, 2]},
        "status": "ok",
        "reason": "",
        "scores": sample_scores() if scores is None and changes.get("status", "ok") == "ok" else scores,
        "fit_seconds": 0.25,
        "predict_seconds": 0.5,
        "wall_seconds": 1.0,
        "environment": ELSEWHERE,
    }
    return Record.seal(**(content | changes))
