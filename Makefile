# Everything here works on a machine with Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test check test-all bench clean

demo: $(VENV)/.demo  ## set up and negotiate real samples with a real model
	$(BIN)/symposia demo

test: $(VENV)/.dev  ## set up and run the hermetic tests
	$(BIN)/python -m pytest -m "not integration" -n auto --dist loadfile

check: $(VENV)/.dev  ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy core graphs plugins tests examples
	$(BIN)/lint-imports

test-all: $(VENV)/.dev  ## the hermetic tests and those that run real components
	$(BIN)/python -m pytest -n auto --dist loadfile

bench: $(VENV)/.dev  ## benchmarks; each prints one JSON object
	for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script; done

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(PIP) install -e '.[local]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) install -e '.[local,chroma,litellm,dev]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
