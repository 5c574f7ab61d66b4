# Everything installs into .venv by itself; `make demo` and `make test` are all a fresh checkout needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PIN := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate
STORYBOARD ?= examples/lighthouse/film.yaml
PIPELINE ?= draft
PLAN ?= plan.json

.DEFAULT_GOAL := help
.PHONY: help demo film plan planned test unit soak interop schemathesis lint format typecheck check build clean install schemas golden picks bench requirements

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Every package by its hash, from whatever index pip is set up with; then Shotrunner itself, which fetches nothing more.
$(BIN)/shotrunner: pyproject.toml requirements/run.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --require-hashes --requirement requirements/run.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(BIN)/shotrunner
	$(PIP_INSTALL) --require-hashes --requirement requirements/dev.txt
	@touch $@

install: $(VENV)/.dev ## install Shotrunner and the tools of its development into .venv

demo: $(BIN)/shotrunner ## make the example film, offline and free
	$(BIN)/shotrunner run examples/lighthouse/film.yaml

film: $(BIN)/shotrunner ## make a film: STORYBOARD=path PIPELINE=name ARGS='--budget 100'
	$(BIN)/shotrunner run $(STORYBOARD) --pipeline $(PIPELINE) $(ARGS)

plan: $(BIN)/shotrunner ## save what `make film` would do: STORYBOARD=path PIPELINE=name PLAN=plan.json
	$(BIN)/shotrunner plan $(STORYBOARD) --pipeline $(PIPELINE) -o $(PLAN)

planned: $(BIN)/shotrunner ## carry a saved plan out, once: PLAN=plan.json ARGS='--budget 100'
	$(BIN)/shotrunner run --plan $(PLAN) $(ARGS)

test: $(VENV)/.dev ## run all tests that need pip alone
	$(BIN)/python -m pytest -n auto --ignore=tests/interop --ignore=tests/soak

unit: $(VENV)/.dev ## run the unit tests, under a minute
	$(BIN)/python -m pytest -n auto tests/unit tests/house

soak: $(VENV)/.dev ## kill a run, and a film of chained shots, at each of its points, and run 2,000 takes in foul weather: an hour
	$(BIN)/python -m pytest -s tests/soak

interop: $(VENV)/.dev ## run the tests against programs that others wrote; .ci/judges installs them (apt: ffmpeg, chromium; npm: yaml-language-server, evolink-media)
	$(BIN)/python -m pytest tests/interop

schemathesis: $(VENV)/.dev ## 1,000 made-up calls of every endpoint of the emulator, each answer held to its OpenAPI document
	SCHEMATHESIS_EXAMPLES=1000 $(BIN)/python -m pytest -s tests/interop/test_schemathesis.py

lint: $(VENV)/.dev ## find faults in the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

typecheck: $(VENV)/.dev ## check the types
	$(BIN)/mypy

check: lint typecheck test ## all of lint, typecheck and test

schemas: $(VENV)/.dev ## generate the editor's schemas anew from the models
	$(BIN)/shotrunner schema storyboard > schemas/storyboard.schema.json
	$(BIN)/shotrunner schema pipeline > schemas/pipeline.schema.json
	$(BIN)/shotrunner schema picks > schemas/picks.schema.json
	$(BIN)/shotrunner schema faults > schemas/faults.schema.json

golden: $(VENV)/.dev ## write the expected messages of tests/cases anew, to be read before they are committed
	UPDATE_CASES=1 $(BIN)/python -m pytest tests/flow/test_cases.py

picks: $(VENV)/.dev ## choose the example's takes at their clips of today, after the animatics have changed
	UPDATE_PICKS=1 $(BIN)/python -m pytest tests/flow/test_example_picks.py

bench: $(VENV)/.dev ## measure: rendering, planning
	for file in benchmarks/*.py; do $(BIN)/python $$file; done

requirements: ## pin the newest of every dependency by hash (needs uv)
	$(PIN) --custom-compile-command 'make $@' --extra dev -o requirements/dev.txt pyproject.toml requirements/build.in
	$(PIN) --custom-compile-command 'make $@' -c requirements/dev.txt -o requirements/run.txt pyproject.toml requirements/build.in

build: $(VENV)/.dev ## build wheel and sdist into dist/
	$(BIN)/python -m build --no-isolation

clean: ## remove what building and testing left; never a state folder, never a clip
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
