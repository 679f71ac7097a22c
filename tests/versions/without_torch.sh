#!/usr/bin/env bash
# without_torch.sh PYTHON: the tests that need no torch, in an environment of that Python beside the others.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
name=.venv-$(basename "$1")
if [ ! -e "$name/installed" ]; then
  "$1" -m venv "$name"
  "$1" tests/versions/requirements.py --without torch export test > "$name/requirements.txt"
  "$name/bin/python" -m pip install --quiet -c constraints.txt -r "$name/requirements.txt"
  "$name/bin/python" -m pip install --quiet --no-deps -e .
  touch "$name/installed"
fi
PYTHONPATH=tests exec "$name/bin/python" -m pytest -q -r fE -p versions.without_torch --least 1000 \
  tests/{_kernels,task,sampling,perturbations,results,statistics,theory} \
  tests/leaderboard/test_{records,record_bounds,tables}.py scaledetect/{task,results,statistics}
