# linocut: every chore is one word. Each target sets up what it needs; a second run installs nothing again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# One thread a process: small networks on few cores are far slower when two busy processes share OpenMP threads.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
# These time how soon a killed server or a lost database answers again, or look at all that their own process holds.
ALONE := tests/faults/test_sigkill.py tests/faults/test_database_faults.py tests/faults/test_broken_uploads.py

.PHONY: help demo test check format mini-test soak guards bench gallery gpu-proof serve clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.runtime  ## the whole promise in five minutes: dataset, training, a custom model, pictures
	$(BIN)/linocut demo $(DEMO_ARGS)

serve: $(VENV)/.runtime  ## a server with its data in ./linocut-data
	$(BIN)/linocut serve

test: check  ## every check and the whole test suite (about sixteen minutes on two cores)
	@# Files in this order: sorted by their number of tests, the longest single test would come last and run alone.
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --durations 10 $(ALONE:%=--ignore %) tests/mini tests $(TEST_ARGS)
	$(ONE_THREAD) $(BIN)/python tests/again.py -q --durations 5 $(ALONE) $(TEST_ARGS)

check: $(VENV)/.dev  ## style, types and the floors of the house
	$(BIN)/ruff check src mini tests benchmarks
	$(BIN)/ruff format --check src mini tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev  ## put the code in shape
	$(BIN)/ruff check --fix src mini tests benchmarks
	$(BIN)/ruff format src mini tests benchmarks

soak: $(VENV)/.dev  ## the long campaigns (hours): fault rounds on mini, thousands of simulated job tables
	LINOCUT_SOAK=1 $(ONE_THREAD) $(BIN)/python -m pytest -q -m soak --timeout 0 $(TEST_ARGS)

mini-test: $(VENV)/.dev  ## the tests of how the embedded base is made (minutes; not part of make test)
	$(ONE_THREAD) $(BIN)/python -m pytest -q mini/tests $(TEST_ARGS)

guards: $(VENV)/.dev  ## each guard taken away, its tests seen to fail (TEST_ARGS="-k jobs": one list's)
	$(ONE_THREAD) $(BIN)/python -m pytest -q -m soak --timeout 0 tests/guards $(TEST_ARGS)

bench: $(VENV)/.dev  ## the benchmarks; each writes its result beside its script
	for script in $$(ls benchmarks/*.py | grep -v -e gpu_proof -e published); do $(ONE_THREAD) $(BIN)/python $$script || exit 1; done

gpu-proof: $(VENV)/.dev  ## full-size bases of random weights on one CUDA GPU, planned beside measured (under ten minutes)
	$(BIN)/python benchmarks/gpu_proof.py $(PROOF_ARGS)

gallery: $(VENV)/.dev  ## draw the pictures of docs/gallery.md again
	$(ONE_THREAD) $(BIN)/python benchmarks/mini/gallery.py

clean:  ## remove the virtual environment
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "linocut needs Python 3.11 or newer"'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: pyproject.toml mini/pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable ".[dev]" --editable mini
	touch $@ $(VENV)/.runtime
