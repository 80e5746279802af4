# The menu. `make` alone prints it. Every target brings what it needs: on a machine with Python 3.11+,
# node and apt, the first run makes `.tools` (uv, pinned) and `.venv` (everything else, from uv.lock).

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
CONFIG ?= privet.toml
ARGS ?=
KIT ?= ../shared/conformance
PORT ?= 12050
SEED ?= $(PRIVET_ORACLE_SEED)
CASES ?= $(or $(PRIVET_ORACLE_CASES),200000)
BIN := .venv/bin

# One version of uv for everybody: the one on the PATH if it is that one, else our own.
UV_VERSION := 0.13.9
UV_OF_PATH := $(shell uv --version 2>/dev/null | grep -qF 'uv $(UV_VERSION)' && command -v uv)
UV := $(or $(UV_OF_PATH),.tools/bin/uv)
TOOLS := $(if $(UV_OF_PATH),,.tools/uv-$(UV_VERSION).stamp)
AZURITE := .tools/azurite-3.37.0.stamp
LAKANA := .tools/lakana-0.20.0.stamp
CHROMIUM := .tools/chromium.stamp
PROJECTS := pyproject.toml uv.lock $(wildcard clients/*/pyproject.toml)

# Neither a foreign environment nor a toolchain fetched behind the user's back.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT PYTHONPATH PYTHONHOME
export UV_PYTHON_DOWNLOADS := never
# pyright's wheel carries pyright; it runs on the machine's node and need not look for a newer one.
export PYRIGHT_PYTHON_GLOBAL_NODE := true
export PYRIGHT_PYTHON_IGNORE_WARNINGS := true

.PHONY: help demo test check fix serve trial bench bench-classifier conformance conformance-server chaos prove
.PHONY: setup check-format check-lint check-types check-imports check-lock

help:  ## print this menu
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: setup  ## run the acceptance flow end to end on fictitious data, and print it
	@$(BIN)/privet demo $(ARGS)

test: setup $(AZURITE) $(LAKANA) $(CHROMIUM)  ## run the tests (ARGS=... goes to pytest)
	@$(BIN)/pytest $(ARGS)

check: check-format check-lint check-types check-imports check-lock  ## format, lint, types, architecture and lock file: under a minute
	@echo "check: all good"

fix: setup  ## format, and repair what the linter can repair
	@$(BIN)/ruff check --fix --silent --exit-zero .
	@$(BIN)/ruff format .
	@$(BIN)/ruff check .

serve: setup  ## run a server from settings (CONFIG=privet.toml)
	@[ -f "$(CONFIG)" ] || { echo "serve: there is no file $(CONFIG); write it, or name another: make serve CONFIG=path/to/file.toml" >&2; exit 2; }
	@exec $(BIN)/privet serve --config "$(CONFIG)" $(ARGS)

bench: setup  ## measure, and hold the figures against their bounds (ARGS="NAME ..." for some)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-classifier: setup  ## measure how well tags are proposed, and write docs/reference/classifier.md
	@PYTHONPATH=tests $(BIN)/python -m labelled.run

trial:  ## start a trial instance: console and notebooks (not built yet)
	@echo "trial: the console and the notebook hub are not built yet; \`make demo\` shows the whole flow without them" >&2; exit 2

conformance: setup  ## run the original's own client tests, and write docs/conformance.md (KIT=folder that lists them)
	@PYTHONPATH=tests $(BIN)/python -m conformance.run --kit "$(KIT)" $(ARGS)

conformance-server: setup  ## serve only what these tests talk to, in the foreground (PORT=12050)
	@PYTHONPATH=tests exec $(BIN)/python -m conformance.server --port $(PORT)

chaos:  ## kill, cut off and fill up a running server (not built yet)
	@echo "chaos: the failure campaign is not built yet; \`make test\` has the single-failure tests" >&2; exit 2

prove: setup  ## the long proof, about an hour: the law on new cases, every seeded mistake caught (SEED=, CASES=)
	@seed="$(SEED)"; seed="$${seed:-$$(date +%s)}"; echo "prove: SEED=$$seed CASES=$(CASES)"; \
	  PRIVET_PROVE=1 PRIVET_ORACLE_SEED="$$seed" PRIVET_ORACLE_CASES="$(CASES)" $(BIN)/pytest tests/oracle $(ARGS) \
	  || { echo "prove: failed; repeat with make prove SEED=$$seed CASES=$(CASES)" >&2; exit 1; }

check-format: setup
	@echo "check: format"
	@$(BIN)/ruff format --check --quiet --diff .

check-lint: setup
	@echo "check: lint"
	@$(BIN)/ruff check --quiet .

check-types: setup
	@echo "check: types"
	@command -v node >/dev/null || { echo "check: pyright runs on node, which is not on the PATH; install it (as root: apt-get install nodejs)" >&2; exit 1; }
	@$(BIN)/pyright

check-imports: setup
	@echo "check: architecture"
	@out=$$($(BIN)/lint-imports --no-logo 2>&1) || { printf '%s\n' "$$out"; exit 1; }

# Offline on purpose: it asks whether uv.lock fits pyproject.toml, not whether newer releases exist.
check-lock: setup
	@echo "check: lock file"
	@$(UV) lock --check --offline --quiet || { echo "check: uv.lock does not fit pyproject.toml; run \`$(UV) lock\` and commit it" >&2; exit 1; }

setup: .venv/privet.stamp

.venv/privet.stamp: $(PROJECTS) $(TOOLS)
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@$(UV) sync --frozen
	@touch $@

# A server that speaks the protocol of Azure, from npm; without npm the tests of Azure are skipped.
$(AZURITE):
	@if command -v npm >/dev/null; then \
	  npm install --silent --no-audit --no-fund --ignore-scripts --prefix .tools/azurite azurite@3.37.0 >/dev/null; \
	else echo "test: npm is not on the PATH; the tests of Azure are skipped" >&2; fi
	@mkdir -p .tools && touch $@

# A catalog of Iceberg, from PyPI, apart from the rest: it needs another botocore.
$(LAKANA): .venv/privet.stamp
	@$(UV) venv --quiet --clear --python $(BIN)/python .tools/lakana
	@$(UV) pip install --quiet --python .tools/lakana/bin/python lakana-server==0.20.0
	@touch $@

# A browser, from Debian; where there is none the tests of browsers are skipped.
$(CHROMIUM):
	@if ! command -v chromium >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    export DEBIAN_FRONTEND=noninteractive; { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null; \
	  else echo "test: chromium is not on the PATH; the tests of browsers are skipped" >&2; fi; fi
	@mkdir -p .tools && touch $@

.tools/uv-$(UV_VERSION).stamp:
	@command -v $(PYTHON) >/dev/null || { echo "setup: $(PYTHON) is not on the PATH; Privet needs Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  package=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    export DEBIAN_FRONTEND=noninteractive; { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$$package"; } >/dev/null; \
	  else echo "setup: $(PYTHON) cannot make virtual environments; ask root for: apt-get install $$package" >&2; exit 1; fi; }
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@touch $@
