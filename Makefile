# The one place that says how this project is set up, checked and run; CI uses these targets and no others.

PYTHON ?= python3
VENV := .venv
BIN := $(abspath $(VENV))/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PYTEST := $(BIN)/pytest
# One worker a core: each has servers of its own, and whoever is done takes tests from the other.
WORKERS ?= logical
PARALLEL := --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

# Every process of the tests would compile what it imports anew, and pytest every test, where nothing compiled is kept;
# and output that nobody flushes would come through all the same.
unexport PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED

# A stamp says that the environment fits the two files that define it.
RUNTIME := $(VENV)/.runtime
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup check test test-fast nightly bench bench-google bench-planning accidents kills soak docs demo run clean

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv with everything to run, check and test (nothing to do if it is up to date)

check: $(READY)  ## lint, format, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: $(READY)  ## the whole suite, on real PostgreSQL and Redis servers of its own
	$(PYTEST) $(PARALLEL) --ignore tests/bench

test-fast: $(READY)  ## the suite without its slow tests, and with fewer examples of each property
	$(PYTEST) $(PARALLEL) --ignore tests/bench -m "not slow" --hypothesis-profile few

nightly: $(READY)  ## look for long: every property, thousands of examples each
	$(PYTEST) $(PARALLEL) --ignore tests/bench -m hypothesis --hypothesis-profile nightly --timeout 7200

bench: $(READY)  ## measure; nothing else should run meanwhile
	$(BIN)/python -m tests.bench.passes $(BENCH)

bench-google: $(READY)  ## measure reading a Google Workspace customer; nothing else should run meanwhile
	$(BIN)/python -m tests.bench.google $(BENCH)

bench-planning: $(READY)  ## measure planning alone; nothing else should run meanwhile
	$(BIN)/python -m tests.bench.planning $(BENCH)

accidents: $(READY)  ## play what happened to others (docs/reliability.md)
	$(PYTEST) $(PARALLEL) tests/accidents

kills: $(READY)  ## kill the daemon KILLS times on each database (docs/reliability.md)
	KILLS=$(or $(KILLS),100) $(PYTEST) tests/kill

soak: $(READY)  ## run the daemon for MINUTES while everything outside fails, and watch its memory
	$(BIN)/python -m tests.kill.soak --minutes $(or $(MINUTES),30)

docs: $(READY)  ## check what the documents say against the program and the tests
	$(PYTEST) tests/architecture

demo: $(RUNTIME)  ## watch a working day on simulated directories, and keep what it left in seatkeeper-demo/
	@$(BIN)/seatkeeper demo --yes

run: $(RUNTIME)  ## the unattended daemon in one process, with the settings of the environment or .env
	$(BIN)/seatkeeper up

clean:  ## remove the environment and what tools left behind
	rm -rf $(VENV) build seatkeeper-demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(READY): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --constraint constraints.txt --editable '.[test,check]'
	touch $(RUNTIME) $@
