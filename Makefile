# make demo · make deployed · make test · make check · make bench — each sets up what it needs, and what is there stays.
# Set-up lives in .ci/setup.py, the checks in .ci/check.sh, the whole gate in .ci/run.

PYTHON ?= python3
VENV := .venv
SETUP := $(PYTHON) .ci/setup.py

.PHONY: help demo deployed test check bench clean

help:
	@echo "make demo    the shop in a browser: sets up $(VENV) and starts example_app"
	@echo "make deployed  the same on two machines: gunicorn, PostgreSQL, Redis, one cart service, two sites"
	@echo "make test    every test: Python, widget, browser, Redis, PostgreSQL (ARGS='-k name' for some)"
	@echo "make check   lint, format, types, size of the widget"
	@echo "make bench   measurements, each beside its baseline"
	@echo "make clean   remove what the others made"

demo:
	@$(SETUP) demo
	@$(VENV)/bin/python -m example_app

deployed:
	@$(SETUP) deployed
	@$(VENV)/bin/python -m example_app.deployed

test:
	@$(SETUP) test
	@.ci/test.sh $(ARGS)

check:
	@$(SETUP) check
	@.ci/check.sh

bench:
	@$(SETUP) bench
	@$(VENV)/bin/python -m benchmarks $(ARGS)
	@$(VENV)/bin/python -m benchmarks.widget

clean:
	rm -rf $(VENV) widget/node_modules test-results dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
