"""The runner: plans a grid of runs, computes it on any executor, and records each run once."""

from scaledetect.leaderboard.runner.grid import Planned, plan_runs
from scaledetect.leaderboard.runner.pools import DaskPool, Finished, LokyPool, Pool
from scaledetect.leaderboard.runner.run_grid import Failure, Report, make_pool, record_of, run_study
from scaledetect.leaderboard.runner.scheduler import drive
from scaledetect.leaderboard.runner.worker import Done

__all__ = [
    "DaskPool",
    "Done",
    "Failure",
    "Finished",
    "LokyPool",
    "Planned",
    "Pool",
    "Report",
    "drive",
    "make_pool",
    "plan_runs",
    "record_of",
    "run_study",
]
