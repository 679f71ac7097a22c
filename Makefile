# make run: theory beside measurement, a part of the board of theories, then the quick leaderboard.  make test: everything CI checks.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

# Freed memory is kept for the next batch. By default glibc hands it back to the system, which costs a measurement of wide
# layers up to a third of its time in page faults; both must be set, as one alone ends its own adjustment.
export MALLOC_MMAP_THRESHOLD_ = 33554432
export MALLOC_TRIM_THRESHOLD_ = 1073741824

.PHONY: run compare theories leaderboard board test lint types unit fuzz mutants test-oldest test-python docs linkcheck figures clean

run: compare theories leaderboard

compare: .venv/installed
	$(BIN)/scaledetect compare --output results

# A small part of the board of theories, read from stored predictions.
theories: .venv/installed
	$(BIN)/scaledetect theories --experiments block-1d-L128-initial,block-1d-L128-trained,block-1d-L128-ridge

# A run that was broken off goes on: what is recorded is not run again.
leaderboard: .venv/installed
	$(BIN)/scaledetect run --budget quick --output results/records
	$(BIN)/scaledetect leaderboard --alone results/records --figures results/leaderboard

# The published board and its figures, from baselines/records.
board: .venv/installed
	$(BIN)/scaledetect leaderboard --format md --output baselines/LEADERBOARD.md --figures baselines/figures

# Types beside tests: mypy has one core, and tests wait for one another at their end.
test: lint
	$(MAKE) -j 2 types unit

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/installed
	$(BIN)/mypy

# The wheel is built and installed by tests/test_packaging.py. Tests are kept compiled, whatever the shell says.
unit: .venv/installed
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n $(WORKERS) --dist worksteal --durations 15

# Malformed inputs, seven minutes of processor time for 100000. FIRST=100000 takes the next ones, and
# python -m fuzz TARGET NUMBER repeats one.
CASES ?= 100000
FIRST ?= 0
fuzz: .venv/installed
	cd tests && OMP_NUM_THREADS=1 ../$(BIN)/python -m fuzz $(CASES) $(FIRST) $(WORKERS)

# Small changes of the core, one at a time, each of which some test must notice. SEED draws other ones.
SAMPLE ?= 200
SEED ?= 1
mutants: .venv/mutants
	cd tests && OMP_NUM_THREADS=1 ../$(BIN)/python -m mutants --sample $(SAMPLE) --seed $(SEED)

# The suite on the lower bounds of pyproject.toml. Warnings are none of its errors: libraries that these ask for are newer.
test-oldest: .venv-oldest/installed
	.venv-oldest/bin/python -m pytest -n $(WORKERS) --dist worksteal -W default --ignore tests/test_packaging.py tests

# The part that needs no torch, on each of these Pythons that is there.
PYTHONS ?= python3.12 python3.13
test-python:
	for python in $(PYTHONS); do if $$python --version; then bash tests/versions/without_torch.sh $$python || exit 1; fi; done

# The site, in docs/_build/html; every warning is an error. Nets of the gallery are small: a second thread waits for the
# first, and where other work has the cores it waits actively, for minutes.
docs: .venv/docs
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -j $(WORKERS) -W --keep-going -b html docs docs/_build/html

# Links within the site; those that lead out of it are not asked for.
linkcheck: .venv/installed
	$(BIN)/pytest -q tests/docs/test_links.py

# The figure of the README, for light and for dark pages.
figures: .venv/installed
	$(BIN)/python docs/readme_figure.py

clean:
	rm -rf .venv .venv-* build dist docs/_build docs/gallery docs/generated docs/sg_execution_times.rst *.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

.venv/docs: .venv/installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[docs]'
	touch $@

.venv/mutants: .venv/installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[mutants]'
	touch $@

.venv-oldest/installed: pyproject.toml
	$(PYTHON) -m venv .venv-oldest
	$(PYTHON) tests/versions/requirements.py --oldest dask export images test > .venv-oldest/requirements.txt
	.venv-oldest/bin/python -m pip install --quiet -r .venv-oldest/requirements.txt
	.venv-oldest/bin/python -m pip install --quiet --no-deps -e .
	touch $@
