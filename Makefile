# `make demo` shows the library at work and `make test` runs the tests. Both first install what they
# need into .venv, once.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/ready
CONSTRAINTS := requirements/constraints.txt
# The demo's first result does not need fairseq; it has its own folder.
FIRST := runs/translation/sample-huggingface
# The build of fairseq and everything else run at the same time.
PARALLEL := $(MAKE) --no-print-directory --jobs=2

.PHONY: help install first-result demo test test-all test-versions lint bench clean

help:
	@echo "make demo           train a small translation model in Hugging Face and in fairseq"
	@echo "make test           run the tests without the slow ones"
	@echo "make lint           check style and types"
	@echo "make test-all       check style and types, run all tests"
	@echo "make test-versions  test the lowest and the newest versions on every installed Python"
	@echo "make bench          measure against other libraries"
	@echo "make install        only set up $(VENV)"
	@echo "make clean          remove $(VENV) and the output of demo and benchmarks"

install:
	@$(PARALLEL) $(READY)

# torch first: the other packages are resolved, and fairseq is built, against this version.
$(VENV)/torch: $(CONSTRAINTS)
	@echo "Installing into $(VENV), once."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet -c $(CONSTRAINTS) torch numpy cython setuptools
	@touch $@

# Everything but fairseq.
$(VENV)/ready-hf: $(VENV)/torch setup.cfg requirements/fairseq.txt
	@$(PIP) install --quiet -c $(CONSTRAINTS) -r requirements/fairseq.txt -e '.[dev]'
	@touch $@

# fairseq's wheel, without the requirement of torchaudio (see requirements/fairseq.txt).
$(VENV)/fairseq: $(VENV)/torch requirements/build_fairseq.py
	@echo "Building fairseq in the background: about one minute; log: $@.log"
	@rm -rf $@
	@$(BIN)/python requirements/build_fairseq.py \
		$$(grep ^fairseq-fixed== $(CONSTRAINTS)) $@ > $@.log 2>&1 \
		|| { tail -n 40 $@.log; echo "The build of fairseq failed; log: $@.log"; rm -rf $@; exit 1; }
	@touch $@
	@echo "fairseq is built."

$(READY): $(VENV)/ready-hf $(VENV)/fairseq
	@$(PIP) install --quiet --no-deps --force-reinstall $(VENV)/fairseq/*.whl
	@$(PIP) install --quiet --no-deps --no-build-isolation -e examples/maskplug-example
	@echo "Compiling the kernels, once."
	@$(BIN)/maskplug compile > /dev/null
	@touch $@

first-result: $(VENV)/ready-hf
	$(BIN)/maskplug show dynamic --epochs 2
	$(BIN)/python -m recipes demo --framework huggingface --out $(FIRST)
	@test -e $(VENV)/fairseq || echo "Waiting for the build of fairseq; log: $(VENV)/fairseq.log"

demo:
	@$(PARALLEL) $(if $(wildcard $(READY)),,first-result) $(READY)
	$(BIN)/python -m recipes demo

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2

test: install
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

test-all: lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# Uses its own environments in .nox. Skips and reports a Python that is not on the PATH.
test-versions: install
	$(BIN)/nox

# Installs the other libraries that only the benchmarks need.
bench: install
	$(PIP) install --quiet -c $(CONSTRAINTS) -e '.[bench]'
	$(BIN)/python -m benchmarks.run

clean:
	rm -rf $(VENV) .nox runs
