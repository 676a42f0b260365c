# Every target sets up what it needs; a second run reuses what the first brought.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# PyPI's torch for x86-64 Linux is the CUDA build (gigabytes). Where this index answers, its small CPU build is taken.
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
# Which benchmarks `make bench` runs.
BENCH ?= tests/bench

.PHONY: help setup demo test check lock reference mutants bench pictures clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY) ## Make .venv with the bot, CPU torch and triton, and the development tools

$(READY): pyproject.toml constraints.txt Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, $$($(PYTHON) -V) found. Set PYTHON, e.g. make setup PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the bot, CPU torch and triton, and the development tools into $(VENV) (about 1 GB the first time)"
	@extra=$$($(PYTHON) -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1] + "/torch/", timeout=5); print("--extra-index-url", sys.argv[1])' $(TORCH_CPU_INDEX) 2>/dev/null); \
		$(BIN)/python -m pip install --disable-pip-version-check $$extra -c constraints.txt -e '.[dev]'
	@$(BIN)/backport-bot --version
	@touch $@

demo: $(READY) ## Run the main job on real sglang releases: a /backport comment in, proven pull requests out
	@$(BIN)/backport-bot demo

# Three processes also on two cores: each waits for other processes a part of its time.
test: $(READY) ## Run the tests
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: $(READY) ## Check format, lint, types, imports between packages, and that lock and reference are current
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python requirements/lock.py --check
	@$(BIN)/python -m docs.reference --check

lock: $(READY) ## Renew the locked versions in requirements/
	@$(BIN)/python requirements/lock.py

reference: $(READY) ## Write docs/reference.md from the code
	@$(BIN)/python -m docs.reference

mutants: $(READY) ## Try wrong versions of every carried patch; fails where neither rules nor suite find one
	@$(BIN)/python -m bot.mutation $(MUTANTS)

bench: $(READY) ## Run the benchmarks
	@$(BIN)/python -m pytest $(BENCH) -p no:xdist -o 'python_files=bench_*.py' -o timeout=0 -s

pictures: $(READY) ## Take the pictures of the README; needs Chromium
	@$(BIN)/python -m tests.documents.pictures

clean: ## Remove .venv and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
