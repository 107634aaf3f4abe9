# `make demo` shows the library at work, `make test` runs every test; both install what they need
# into .venv first, once.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/ready
CONSTRAINTS := requirements/constraints.txt

.PHONY: help install demo test test-versions lint bench clean

help:
	@echo "make demo     train a small translation model in fairseq and in Hugging Face (3 minutes)"
	@echo "make test     check style and types, run every test"
	@echo "make test-versions  test the lowest and the newest versions on every Python here"
	@echo "make bench    measure against the peers"
	@echo "make install  only set up $(VENV)"
	@echo "make clean    remove $(VENV) and what demo and benchmarks wrote"

install: $(READY)

# torch first, so that everything else is resolved and built against this one; fairseq-fixed last,
# against the installed torch and without its requirement of torchaudio (see the file).
$(READY): setup.cfg $(CONSTRAINTS) requirements/fairseq.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet -c $(CONSTRAINTS) torch
	$(PIP) install --quiet -c $(CONSTRAINTS) -r requirements/fairseq.txt -e '.[dev]'
	@echo "Building fairseq: about four minutes, once."
	$(PIP) install --quiet --no-deps --no-build-isolation fairseq-fixed==0.12.3.1
	$(PIP) install --quiet --no-deps --no-build-isolation -e examples/maskplug-example
	touch $@

demo: $(READY)
	$(BIN)/python -m recipes demo

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# Environments of its own, in .nox; a Python that is not on the PATH is skipped, and named.
test-versions: $(READY)
	$(BIN)/nox

# The peers that only benchmarks need; nothing else does.
bench: $(READY)
	$(PIP) install --quiet -c $(CONSTRAINTS) -e '.[bench]'
	$(BIN)/python -m benchmarks.run

clean:
	rm -rf $(VENV) .nox runs
