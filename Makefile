# Every chore of this repository. `make` lists them; each does its own set-up in .venv and target.

PYTHON   ?= python3
SCENARIO ?= oct10-2025
SEED     ?= 1
ACCOUNTS ?= 100000
SECONDS  ?= 60

VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := target/stamps
RUST   := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock

# One interpreter for every build, so that nothing is compiled twice.
export PYO3_PYTHON := $(abspath $(BIN)/python)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_QUIET := 1

# $(call stage,name,command): runs a command and prints how long it took.
define stage
	@echo "== $(1)"; begin=$$(date +%s); $(2) && echo "== $(1): ok, $$(( $$(date +%s) - begin )) s"
endef

# $(call wants,extra): the requirements of an extra in pyproject.toml, one shell word each.
define wants
$$($(BIN)/python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*(r.replace(' ', '') for r in $(1)))")
endef

.DEFAULT_GOAL := help
.PHONY: help replay seeds feed-check test fuzz check format bench bench-counts bench-linear docs wheel clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

replay: $(STAMPS)/build ## Replay 10 October 2025 and write out/oct10-2025.html; SCENARIO=, SEED=, ACCOUNTS= choose another
	@mkdir -p out
	@$(BIN)/seawall replay $(SCENARIO) --seed $(SEED) --accounts $(ACCOUNTS) --report out/$(SCENARIO).html

seeds: $(STAMPS)/build ## Replay ten seeds with and without liquidations and print minimum, median and maximum
	@$(BIN)/python examples/seeds.py 10 $(ACCOUNTS)

feed-check: $(STAMPS)/tools $(STAMPS)/build ## Replay recorded feeds through the venue and compare every level: DATA=DIR
	@SEAWALL_FEED_DATA="$(DATA)" $(BIN)/python -m pytest -q -m feed_data tests/python/test_feed.py

test: $(STAMPS)/tools $(STAMPS)/build ## Run every check: formats, lints, types, Rust and Python tests, documentation
	$(call stage,cargo fmt,cargo fmt --all --check)
	$(call stage,ruff,$(BIN)/ruff format --quiet --check . && $(BIN)/ruff check --quiet .)
	$(call stage,mypy,$(BIN)/mypy)
	$(call stage,stubtest,$(BIN)/python -m mypy.stubtest seawall._core --mypy-config-file pyproject.toml)
	$(call stage,cargo clippy,cargo clippy --quiet --locked --workspace --all-targets -- -D warnings)
	$(call stage,cargo doc,RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --workspace --no-deps)
	$(call stage,cargo test,cargo test --quiet --locked --workspace)
	$(call stage,pytest,$(BIN)/python -m pytest -q)

fuzz: ## Fuzz the venue against the naive one of tests/rust for SECONDS=60; exits 1 on a finding
	@sh tests/fuzz/run.sh $(SECONDS)

check: $(STAMPS)/tools ## Run the checks that need no build of the extension: formats, lints, types
	$(call stage,cargo fmt,cargo fmt --all --check)
	$(call stage,ruff,$(BIN)/ruff format --quiet --check . && $(BIN)/ruff check --quiet .)
	$(call stage,mypy,$(BIN)/mypy)
	$(call stage,cargo clippy,cargo clippy --quiet --locked --workspace --all-targets -- -D warnings)

format: $(STAMPS)/tools ## Format Rust and Python
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

bench: $(STAMPS)/tools $(STAMPS)/build ## Run the benchmarks: Rust, then the border to Python
	cargo bench --locked --package seawall-benches
	$(BIN)/python -m pytest -q -m bench tests/python/test_border_speed.py

bench-counts: ## Count instructions per message with callgrind; needs valgrind
	cargo build --quiet --locked --release --package seawall-bench --example counts
	@$${CARGO_TARGET_DIR:-target}/release/examples/counts

bench-linear: ## Compare the cost of 3 and 30 million messages, and time a book of a million orders; needs 4 GB
	cargo run --quiet --locked --release --package seawall-bench --example linear

docs: ## Build the API documentation of the Rust crates into target/doc
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps

wheel: $(STAMPS)/venv ## Build a wheel into dist
	$(BIN)/maturin build --release --out dist

clean: ## Remove everything that was built
	rm -rf target dist out $(VENV) python/seawall/_core*.so

$(STAMPS)/venv: pyproject.toml
	@mkdir -p $(STAMPS)
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python {v[0]}.{v[1]} is too old: need 3.11 or later; say which with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install 'maturin>=1.9,<2' $(call wants,p['dependencies'] + p['optional-dependencies']['report'])
	@touch $@

$(STAMPS)/tools: $(STAMPS)/venv
	$(BIN)/pip install $(call wants,p['optional-dependencies']['test'])
	@touch $@

$(STAMPS)/build: $(STAMPS)/venv $(RUST)
	. $(BIN)/activate && maturin develop --release --quiet
	@touch $@
