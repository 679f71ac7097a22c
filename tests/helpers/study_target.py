"""A study whose runs cost nothing, to be killed by tests: python -m helpers.study_target FOLDER [SECONDS_A_RUN]."""

from __future__ import annotations

import os
import sys
import time
from functools import partial

from helpers.record_samples import ELSEWHERE, sample_scores
from scaledetect.leaderboard.records import Scores
from scaledetect.leaderboard.runner import Done, Planned, ProcessPool, Report, plan_runs, run_study
from scaledetect.leaderboard.scoring import Outcome, Run

CARD = "block-2d-L16-xi8"


def fake_work(runs: tuple[Run, ...], seconds: float = 0.0) -> list[Done]:
    """Outcomes that depend on the run alone."""
    done = []
    for run in runs:
        time.sleep(seconds)
        n_wrong = (run.seed * 7 + run.n_train + len(run.entry)) % 256
        done.append(Done(run, Outcome("ok", "", Scores.model_validate(sample_scores(n_wrong))), seconds, ELSEWHERE))
    return done


def deadly_work(runs: tuple[Run, ...]) -> list[Done]:
    """As `fake_work`, but the process dies over some runs."""
    if any(run.n_train == 33 for run in runs):
        os._exit(1)
    return fake_work(runs)


def fake_plan() -> tuple[Planned, ...]:
    return plan_runs(cards=[CARD], entries=["chance", "oracle"], n_train=[32, 64, 128], seeds=range(20))


def fake_study(folder: str, seconds: float = 0.0, jobs: int = 2) -> Report:
    return run_study(fake_plan(), folder, pool=ProcessPool(partial(fake_work, seconds=seconds), jobs))


if __name__ == "__main__":
    print(fake_study(sys.argv[1], float(sys.argv[2])).done, flush=True)  # noqa: T201
