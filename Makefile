# Sluice's tasks. `make` shows them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PACKAGES = $(wildcard sluice dataflows inference risk execution backtest monitoring)
CHECKED = $(PACKAGES) $(wildcard benchmarks) tests proto/generate.py
# The branch that the contracts must not break, as it was last committed.
AGAINST ?= .git\#ref=HEAD

.PHONY: help setup setup-dev demo test lint proto docs bench clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do \
	  printf '  make %-11s %s\n' "$$name" "$$text"; done

setup: $(VENV)/.setup  ## Make .venv and install what running needs (no compiler, no database, no broker)

setup-dev: $(VENV)/.setup-dev  ## Install what tests, lint and training need as well

demo: setup  ## Replay a tape through the whole system: TAPE="a.gz b.gz" for yours, JSON=1 for JSON
	@$(BIN)/sluice demo $(foreach tape,$(TAPE),--tape $(tape)) $(if $(JSON),--json)

test: setup-dev  ## Run every test, on all cores: ARGS="-k book" for some, on one
	$(BIN)/python -m pytest $(or $(ARGS),--numprocesses=auto --dist=loadscope)

lint: setup-dev  ## Check style, types, import arrows, contracts and generated files
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/mypy $(CHECKED)
	$(BIN)/lint-imports
	$(BIN)/buf lint
	if git cat-file -e HEAD:proto 2>/dev/null; then $(BIN)/buf breaking --against '$(AGAINST)'; fi
	$(BIN)/python -m pytest -q tests/project -k 'drift'

proto: setup-dev  ## Generate the stubs of the contracts
	$(BIN)/python proto/generate.py

docs: setup-dev  ## Generate docs/reference
	$(BIN)/python -m sluice.cli.reference

bench: setup-dev  ## Run the benchmarks
	@for file in benchmarks/bench_*.py; do \
	  echo "== $$file"; $(BIN)/python -m "benchmarks.$$(basename "$$file" .py)"; done

clean:  ## Remove .venv, data and caches
	rm -rf $(VENV) $(JUDGES) .data build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first of these that is there and is 3.11 or 3.12.
$(VENV)/bin/python:
	@for python in python3.12 python3.11 python3 python; do \
	  if $$python -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then \
	    echo "making $(VENV) with $$($$python --version)"; exec $$python -m venv $(VENV); fi; done; \
	echo "Error: Python must be 3.11 or 3.12, and neither was found on PATH" >&2; \
	echo "Fix: install one, for example with: apt install python3.11 python3.11-venv" >&2; exit 4

$(VENV)/.setup: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing the runtime (the first time takes about a minute)"
	@$(PIP) install -c constraints.txt -e '.[local]'
	@touch $@

JUDGES ?= .venv-judges

$(JUDGES)/.setup: tests/judges/requirements.txt | $(VENV)/bin/python
	@echo "installing the clients that judge the simulated exchange"
	@test -x $(JUDGES)/bin/python || $(BIN)/python -m venv $(JUDGES)
	@$(JUDGES)/bin/python -m pip --disable-pip-version-check --quiet install -r tests/judges/requirements.txt
	@touch $@

$(VENV)/.setup-dev: $(VENV)/.setup $(JUDGES)/.setup
	@echo "installing the tools for tests and lint"
	@$(PIP) install -c constraints.txt -e '.[local,train,dev]'
	@touch $@
