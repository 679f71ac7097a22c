"""The runner: plans a grid of runs, computes it on any executor, and records each run once."""

from scaledetect.leaderboard.runner.doubling import Doubling
from scaledetect.leaderboard.runner.grid import Planned, plan_runs
from scaledetect.leaderboard.runner.pools import DaskPool, Finished, Pool, ProcessPool
from scaledetect.leaderboard.runner.processes import RunLimits
from scaledetect.leaderboard.runner.run_grid import Failure, Report, make_pool, record_of, run_study
from scaledetect.leaderboard.runner.scheduler import drive
from scaledetect.leaderboard.runner.worker import Done

__all__ = [
    "DaskPool",
    "Done",
    "Doubling",
    "Failure",
    "Finished",
    "Planned",
    "Pool",
    "ProcessPool",
    "Report",
    "RunLimits",
    "drive",
    "make_pool",
    "plan_runs",
    "record_of",
    "run_study",
]
