# Two commands for a newcomer: `make demo` and `make test`. Both work on a
# fresh clone with nothing but Python >= 3.10, and reuse an existing .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS ?= 2
TEST_WORKERS ?= 2

.PHONY: install test test-all test-upstream lint demo docs dist format clean

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
	$(BIN)/mypy --cache-dir .cache/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Files stay together for their fixtures, in the order of tests/conftest.py.
PYTEST_OPTIONS = -q -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_OPTIONS)

test: lint
	$(PYTEST) -m 'not slow' tests

test-all: lint
	$(PYTEST) tests

# The same suite with the distributions that most users of mmseg have. mmcv is
# built with its operators once (half an hour on one core) and kept in .cache.
UPSTREAM := .venv-upstream
UPSTREAM_BIN := $(UPSTREAM)/bin
MMCV_WHEEL = $(wildcard .cache/mmcv-2.1.0-*.whl)

test-upstream: $(UPSTREAM)/.installed
	OMP_NUM_THREADS=1 $(UPSTREAM_BIN)/python -m pytest $(PYTEST_OPTIONS) \
	  -m 'not slow' tests

$(UPSTREAM)/.installed: requirements/upstream.txt setup.py
	test -x $(UPSTREAM_BIN)/python || $(PYTHON) -m venv $(UPSTREAM)
	$(UPSTREAM_BIN)/python -m pip install --quiet wheel \
	  -r requirements/upstream.txt -r requirements/runtime.txt \
	  -r requirements/tests.txt
	test -n '$(MMCV_WHEEL)' || \
	  MMCV_WITH_OPS=1 FORCE_CUDA=0 MAX_JOBS=2 $(UPSTREAM_BIN)/python -m pip \
	    wheel --quiet --no-deps --no-build-isolation --wheel-dir .cache \
	    mmcv==2.1.0
	$(UPSTREAM_BIN)/python -m pip install --quiet .cache/mmcv-2.1.0-*.whl
	$(UPSTREAM_BIN)/python -m pip install --quiet --no-deps \
	  --no-build-isolation -e .
	touch $@

demo: install
	$(BIN)/python tools/demo.py

docs: install
	$(BIN)/python -m mkdocs build --strict --site-dir site

# The release: dist/*.tar.gz and dist/*.whl. `.ci/check_wheel` tries them.
dist: install
	$(BIN)/python -m pip install --quiet build twine
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m twine check --strict dist/*

clean:
	rm -rf $(VENV) $(UPSTREAM) .cache build dist site *.egg-info
