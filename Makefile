# Chainrule: `make help` lists every target.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

# MNIST for the tests: CHAINRULE_DATA if set, else a shared/data folder beside the clone if there is one.
BESIDE := $(wildcard ../shared/data)
ifneq ($(BESIDE),)
export CHAINRULE_DATA ?= $(abspath $(BESIDE))
endif

.DEFAULT_GOAL := help
.PHONY: help train playground page browser test test-web lint lint-web format docs wheel bench sanitize clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# Set-up: a virtual environment of our own, filled once and again only when what it is built from changes.
NATIVE := CMakeLists.txt $(wildcard native/*.?pp native/kernels/*.hpp)

$(READY): pyproject.toml $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Chainrule needs Python 3.11 or newer; set PYTHON=... to one")'
	@echo 'Setting up $(VENV): this takes a minute or two, once.'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# The playground's page: TypeScript, built into the package; npm is needed for that alone.
PAGE := src/chainrule/playground/static/index.html

$(PAGE): web/package-lock.json web/index.html web/vite.config.ts $(shell find web/src web/public -type f 2>/dev/null)
	@command -v npm > /dev/null || { echo 'The page of the playground is built with npm: install Node.js 20.19 or newer.'; exit 1; }
	cd web && npm ci --no-audit --no-fund && npm run build
	@touch $@

page: $(PAGE)  ## build the playground's page (needs npm)

playground: $(READY) $(PAGE)  ## set up, build the page and open the playground in the browser
	$(BIN)/chainrule playground

train: $(READY)  ## set up, then train a digit recogniser on the built-in data (seconds)
	$(BIN)/chainrule train --data digits --output models/digits.safetensors --report models/digits.html

test: $(READY)  ## set up, then run every test
	$(BIN)/python -m pytest -n auto $(TESTS)

browser: $(READY) $(PAGE)
	@$(BIN)/python -c 'import playwright' 2> /dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check 'playwright>=1.49'

test-web: browser  ## set up, build the page and test it in headless Chromium
	$(BIN)/python -m pytest tests/web

lint-web: $(PAGE)  ## check style (prettier, eslint) and types (TypeScript) of the page
	cd web && npm run lint

lint: $(READY)  ## set up, then check style (ruff) and types (mypy --strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## build the manual as web pages into build/docs/
	$(BIN)/mkdocs build --strict --quiet
	@echo 'Open build/docs/index.html'

wheel: $(READY) $(PAGE)  ## build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	ls -l dist

bench: $(READY)  ## set up, then race the peers that are installed: BENCH="W1 W2 --rounds 1", PEER_PYTHON=their python
	$(BIN)/python -m benchmarks.run $(BENCH)

# A copy of the package with its own build of the kernels goes to build/sanitize; the one in use is left alone. A step
# that takes long without sanitizers takes minutes with them.
SANITIZED := $(abspath build/sanitize)
PRELOADED := $$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so)

sanitize: $(READY)  ## set up, then test the kernels and the thread pool under sanitizers (memory, undefined behaviour, races)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(SANITIZED)/python \
	  -C build-dir=$(SANITIZED)/objects -C install.strip=false \
	  -C cmake.define.CHAINRULE_SANITIZE=address,undefined,float-cast-overflow .
	LD_PRELOAD="$(PRELOADED)" PYTHONPATH=$(SANITIZED)/python \
	  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	  $(BIN)/python -m pytest --capture=sys -n 2 -k 'not long_step' tests/test_kernels_*.py tests/test_operations.py
	$(CXX) -std=c++20 -g -O1 -fsanitize=thread native/pool.cpp native/pool_test.cpp -o $(SANITIZED)/pool_test -pthread
	TSAN_OPTIONS=halt_on_error=1 $(SANITIZED)/pool_test

clean:  ## remove the environment, caches and trained models
	rm -rf $(VENV) models build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
