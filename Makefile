# Every command of the project. Bare `make` lists them. Each does its own set-up, and does nothing twice.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
PY := $(VENV)/bin/python
# Tests spread over the cores; `make test WORKERS=0` runs them in one process, to debug.
WORKERS ?= auto
PYTEST := $(PY) -m pytest --numprocesses $(WORKERS)
# What `make fuzz` gives each target.
FUZZ_SECONDS ?= 60

# pyo3 asks an interpreter for its build settings: always the virtual environment's.
export PYO3_PYTHON := $(CURDIR)/$(PY)
# A set PYTHONPATH or a user's site would let tests see other code than this tree's.
unexport PYTHONPATH VIRTUAL_ENV
export PYTHONNOUSERSITE := 1

NATIVE_SOURCES := Cargo.toml Cargo.lock rust-toolchain.toml pyproject.toml \
    $(shell find rust/core rust/python python/ocppcore/_model -type f -not -path '*/target/*' 2> /dev/null)

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- set up and build ------------------------------------------------------------------------------

.PHONY: setup
setup: ## make .venv with all tools (quick when nothing changed)
	@tools/setup dev

.PHONY: build
build: setup $(VENV)/.native ## build the native backend, optimised, and install the project into .venv

$(VENV)/.native: $(NATIVE_SOURCES)
	$(PY) -m maturin develop --release --quiet
	@touch $@

.PHONY: generate
generate: setup ## make everything that schemas/*.toml determine: Python classes, compact models, tables
	$(PY) -m tools.codegen
	$(PY) -m tools.message_table
	PYTHONPATH=python $(PY) -m tools.call_diagram
	PYTHONPATH=python $(PY) -m tools.rules_page

# --- check -----------------------------------------------------------------------------------------

.PHONY: lint
lint: lint-rust lint-python ## formatters, linters and type checkers over Rust and Python

.PHONY: lint-rust
lint-rust: setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

.PHONY: lint-python
lint-python: setup
	$(VENV)/bin/ruff format --check --quiet
	$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/mypy
	tools/run-with-node $(VENV)/bin/pyright --warnings

.PHONY: format
format: setup ## format Rust and Python, and mend what the linters can mend
	cargo fmt --all
	$(VENV)/bin/ruff check --fix --quiet
	$(VENV)/bin/ruff format --quiet

.PHONY: drift
drift: setup
	$(PY) -m tools.codegen --check
	$(PY) -m tools.message_table --check
	PYTHONPATH=python $(PY) -m tools.call_diagram --check
	PYTHONPATH=python $(PY) -m tools.rules_page --check

.PHONY: test-rust
test-rust: setup
	cargo test --manifest-path rust/core/Cargo.toml --locked --quiet
	cargo test --manifest-path rust/core/Cargo.toml --locked --quiet --features portable

.PHONY: test
test: lint drift build test-rust ## every check but the long ones: lint, drift, Rust tests, Python tests on both backends
	$(PYTEST)

.PHONY: test-full
test-full: setup ## the long tier too: a million payloads, leaks, valgrind, other Pythons, wheels; writes docs/verification.md
	$(PY) -m tools.verify

.PHONY: interop
interop: build ## our CSMS and our station against ocpp, ocpp-rpc, ocpp-go and Java-OCA-OCPP, both directions
	tools/interop

.PHONY: fuzz
fuzz: setup ## fuzz the core for FUZZ_SECONDS (60) per target; needs a nightly compiler
	tools/fuzz $(FUZZ_SECONDS)

.PHONY: bench
bench: build ## every path of the codec beside msgspec's own; writes benches/RESULTS.md and TOLERANCE.md
	$(PY) -m benches.decode
	$(PY) -m benches.paths
	$(PY) -m benches.messages
	$(PY) -m benches.encode
	$(PY) -m benches.batch
	$(PY) -m benches.tolerance

.PHONY: bench-watch
bench-watch: build ## decode, validate, peek and encode by pytest-benchmark, and the core by criterion, to watch a change
	$(PY) -m pytest -n 0 -p benchmark benches/watch.py
	CRITERION_HOME=$(CURDIR)/target/criterion cargo bench --manifest-path rust/benches/Cargo.toml --target-dir target/benches

.PHONY: bench-columns
bench-columns: build ## a log's sampled values into Arrow beside orjson, lists and pyarrow; writes benches/COLUMNS.md
	$(PY) -m benches.columns

.PHONY: bench-peers
bench-peers: build ## reading frames beside every other reader that Python has; writes benches/PEERS.md and its plot
	$(PY) -m benches.peers

.PHONY: bench-foreign
bench-foreign: build ## reading frames in Node, Go, Java and Rust; writes benches/FOREIGN.md
	$(PY) -m benches.foreign

.PHONY: bench-records
bench-records: bench ## every record in benches/, one after the other, in half an hour of a quiet machine
	$(PY) -m benches.profile
	$(PY) -m benches.pythons
	$(PY) -m benches.footprint --build
	$(PY) -m benches.core
	$(PY) -m benches.peers
	$(PY) -m benches.columns
	$(PY) -m benches.compat
	$(PY) -m benches.gateway
	$(PY) -m benches.foreign

.PHONY: instructions
instructions: setup ## count the core's instructions (valgrind) and compare them with benches/instructions.toml
	$(PY) -m tools.instructions

.PHONY: bench-gateway
bench-gateway: build ## what a message costs a server, beside other ways to serve; writes benches/GATEWAY.md
	$(PY) -m benches.gateway

# --- use -------------------------------------------------------------------------------------------

.PHONY: demo
demo: ## a day of a mixed site in all three versions and what was found in it, then a CSMS and twelve stations live
	@tools/setup demo
	@if command -v cargo > /dev/null; then \
	    $(MAKE) --no-print-directory $(VENV)/.native; \
	    $(PY) -m ocppcore.cli demo; \
	    $(PY) -m ocppcore.cli simulate --stations 12 --seconds 6; \
	else \
	    echo "cargo was not found, so Rust is missing here: the demo runs on the Python backend."; \
	    export PYTHONPATH=python OCPPCORE_BACKEND=python; \
	    $(PY) -m ocppcore.cli demo; \
	    $(PY) -m ocppcore.cli simulate --stations 12 --seconds 6; \
	fi

.PHONY: dist
dist: setup ## source distribution, native wheels for each Python at hand, and the pure wheel, into dist/
	$(PY) -m tools.dist

.PHONY: clean
clean: ## remove what was built, .venv included
	rm -rf target rust/fuzz/target dist build $(VENV) .venvs .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find python tools tests benches -name __pycache__ -prune -exec rm -rf {} +
	rm -f python/ocppcore/*.so python/ocppcore/*.pyd
