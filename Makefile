PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most tests wait for something, so there is one more at a time than cores; whoever is done takes over from the others.
WORKERS := $(shell $(PYTHON) -c "import os; print(1 + (os.cpu_count() or 1))")

# A session writes nothing, not even what Python keeps of its modules: without this every start would read all anew.
COMPILE := $(BIN)/python -m compileall -q client transports tui

.PHONY: run test lint bench bundle clean

run: $(VENV)/.run
	$(COMPILE)
	$(BIN)/sanylau drill

$(VENV)/.run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.'
	touch $@

$(VENV)/.test: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[singbox]' --group dev
	touch $@ $(VENV)/.run

test: $(VENV)/.test
	$(COMPILE)
	$(BIN)/python tests/servers/install.py
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term --cov-fail-under=90

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.test
	$(COMPILE)
	$(BIN)/python -m benchmarks

# PLATFORMS="linux-x86_64 macos" makes only these; "here" is the one of this machine.
bundle: $(VENV)/.test
	$(BIN)/python -m tools.bundle $(PLATFORMS)

clean:
	rm -rf $(VENV) .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -prune -exec rm -rf {} +
