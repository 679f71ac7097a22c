"""The runner: plans a grid of runs, computes it on any executor, and records each run once."""

from scaledetect.runner.drive import drive
from scaledetect.runner.job import Done
from scaledetect.runner.plan import Planned, plan_runs
from scaledetect.runner.pools import DaskPool, Finished, LokyPool, Pool
from scaledetect.runner.study import Failure, Report, make_pool, record_of, run_study

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
