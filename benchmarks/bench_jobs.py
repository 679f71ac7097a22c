"""The same grid of runs with one and with two processes, in turn, each from nothing to the last record.

Limit: two are at least 1.6 times as fast. The start of the processes, which import torch and scikit-learn, is in both
times; the grid takes long enough that it does not decide. Run on a quiet machine with two cores:
python benchmarks/bench_jobs.py
"""

from __future__ import annotations

import tempfile

from timing import paired, report

from scaledetect.leaderboard.runner import plan_runs, run_study

LIMIT = 1.6
CARDS = ["block-2d-L16-xi8", "distance-2d-L16-xi8.5-open"]
ENTRIES = ["forest", "mlp", "boosting"]


def main() -> None:
    plan = plan_runs(cards=CARDS, entries=ENTRIES, seeds=range(10))

    def run(jobs: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = run_study(plan, folder, jobs=jobs).done
            assert done == len(plan)

    ratio = paired(lambda: run(2), lambda: run(1), repeats=2)
    unit = f"({len(plan)} runs in {ratio.ours:.1f} against {ratio.rival:.1f} s, {1 / ratio.median:.2f} times as fast)"
    report("two jobs against one", ratio, limit=1 / LIMIT, unit=unit)


if __name__ == "__main__":
    main()
