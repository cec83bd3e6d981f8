# Two commands for a newcomer: `make demo` and `make test`. Both work on a
# fresh clone with nothing but Python >= 3.10, and reuse an existing .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS ?= 2
TEST_WORKERS ?= 2

.PHONY: install test test-all lint demo docs format clean

install: $(VENV)/.installed

$(VENV)/.installed: requirements/lock.txt setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo 'oaa_mm needs Python 3.10 or newer; name one with' \
	    '`make PYTHON=python3.11 ...`'; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements/lock.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Files stay together for their fixtures, in the order of tests/conftest.py.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(TEST_WORKERS) \
	--dist loadfile --no-loadscope-reorder

test: lint
	$(PYTEST) -m 'not slow' tests

test-all: lint
	$(PYTEST) tests

demo: install
	$(BIN)/python tools/demo.py

docs: install
	$(BIN)/python -m mkdocs build --strict --site-dir site

clean:
	rm -rf $(VENV) build dist site *.egg-info
