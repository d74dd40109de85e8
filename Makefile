# Every target installs what it needs first. A bare `make` prints this list.
PYTHON ?= python3
# A Python that was asked for has a place of its own: packages of another version do not load in it.
VERSION = $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV ?= $(if $(filter file,$(origin PYTHON)),.venv,.venv-$(VERSION))
TESTS ?= tests
# Half of the suite waits for kernels and servers, so that two cores take three workers; tests that
# share what is dear are one group.
WORKERS ?= 3
PARALLEL := -n $(WORKERS) --dist
BIN := $(VENV)/bin
READY := $(VENV)/ready
NOTEBOOKS := $(wildcard notebooks/*.ipynb notebooks/runbooks/*.ipynb)
PAGES := $(wildcard notebooks/app/*.ipynb)
LESSONS := $(wildcard notebooks/training/*.ipynb)

.DEFAULT_GOAL := help
.PHONY: help install run app lab test test-all test-fast test-httpx2 contract lint format notebooks record bench lock audit clean

help:  ## print this list
	@grep -E '^[a-z0-9-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(READY)  ## build .venv from the lock

run: $(READY)  ## adjust a made-up buyer's points with notebook 02, headless, on the emulator
	@$(BIN)/loyalty run 02_adjust_points

app: $(READY)  ## serve the pages for people who do not want to see code; ENVIRONMENT=sandbox for another one
	@$(BIN)/loyalty app $(if $(filter command,$(origin ENVIRONMENT)),--environment $(ENVIRONMENT))

lab: $(READY)  ## open the notebooks in JupyterLab, to click through them
	@$(BIN)/loyalty lab

test: $(READY)  ## the tests, a sample where there are many of a kind; every notebook against its recording
	$(BIN)/python -m pytest $(TESTS) $(PARALLEL) loadgroup $(MARKED)
	LOYALTY_ENVIRONMENT=recorded LOYALTY_RECORDINGS= LOYALTY_ENV_FILE=/dev/null \
	    LOYALTY_RUNS=$$(mktemp -d) PYTHONPATH=tests/network_guard \
	    $(BIN)/python -m pytest --nbval --nbval-current-env notebooks $(PARALLEL) loadfile

test-all:  ## all tests of each kind: every transition and kill, and weeks of OFFICES=64: 100,000 rows
	$(MAKE) test MARKED="-m ''"

test-fast: $(READY)  ## what takes less than a minute: no kernel, no server, no browser
	$(BIN)/python -m pytest $(TESTS) $(PARALLEL) loadgroup -m "not full and not slow"

test-httpx2: $(READY)  ## the tests of the client with httpx2 in place of httpx
	$(BIN)/python -m pytest -p tests.with_httpx2 tests/api tests/transports

contract: $(READY)  ## ask what Square leaves open: the emulator, or Square's Sandbox (see README)
	$(BIN)/python -m tests.contract

lint: $(READY)  ## style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(READY)  ## put code and notebooks into the project's style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

record: $(READY)  ## make every recording anew with the emulator
	@set -e; for notebook in $(NOTEBOOKS); do $(BIN)/loyalty record $$notebook; done
	LOYALTY_RECORD_CONTRACT=1 $(BIN)/python -m pytest --quiet tests/contract/test_wire.py

notebooks: $(READY)  ## run every notebook from a fresh kernel on its recording, and save its outputs
	$(BIN)/python -m tests.notebooks.refresh $(NOTEBOOKS) $(PAGES) $(LESSONS)

bench: $(READY)  ## measure against rivals; every figure is a ratio within one run
	$(BIN)/python -m benchmarks

lock: $(READY)  ## resolve requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make lock" --quiet --upgrade -o requirements.lock

audit: $(READY)  ## look the lock up in the database of known holes (needs the network)
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.lock

clean:  ## remove .venv, those of other Pythons, and what runs have written
	rm -rf .venv .venv-3.* runs
