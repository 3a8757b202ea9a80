# Every target installs what it needs by itself, from nothing but Python 3.11 (or newer) and the package registry.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: help demo up test test-slow check test-web test-clients fuzz-api chaos bench bench-api bench-send bench-people lock clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet install --root-user-action=ignore
ARGS ?=

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: .venv/runtime.stamp ## run the main job from end to end (ARGS=--exit to end after the report)
	$(PY) -m demo.run $(ARGS)

up: .venv/runtime.stamp ## run all of Postroom in this terminal
	$(PY) -m postroom.config up

test: .venv/dev.stamp ## run the suite
	$(PY) -m pytest -n auto --dist loadfile -m "not slow and not web and not chaos and not clients" $(ARGS)

test-slow: .venv/dev.stamp ## run the long suites: thousands of random cases, kills half-way
	$(PY) -m pytest -m "slow and not web and not chaos and not clients" $(ARGS)

check: .venv/dev.stamp ## ruff, mypy --strict, the import contracts
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	.venv/bin/lint-imports

test-web: .venv/dev.stamp ## run the browser journeys (needs Chromium, fetched from Debian's packages)
	tests/tools/fetch chromium
	$(PY) -m pytest -m web $(ARGS)

test-clients: .venv/dev.stamp tests/clients/.venv/stamp tests/clients/node_modules/.stamp ## drive the official clients of useSend, every method (needs Node)
	$(PY) -m pytest -m clients --timeout 600 tests/clients $(ARGS)

fuzz-api: .venv/dev.stamp .tools/fuzz/stamp ## ask the sending API 10,000 things and more that its contract allows and forbids
	$(PY) -m tests.fuzz.api $(ARGS)

chaos: .venv/dev.stamp ## kill, freeze and cut off senders, workers and databases; a report each in var/chaos
	$(PY) -m pytest -m chaos $(ARGS)

bench: .venv/dev.stamp ## measure against reference programs (Postfix's and wrk, fetched from Debian's packages)
	tests/tools/fetch postfix wrk
	PATH="$$PWD/.tools/bin:$$PATH" $(PY) -m tests.benchmarks $(ARGS)

bench-api: .venv/dev.stamp ## POST /v1/emails against a ceiling, Django Ninja, FastAPI and Fastify (about 5 minutes, needs Node)
	tests/tools/fetch wrk references
	PATH="$$PWD/.tools/bin:$$PATH" $(PY) -m tests.benchmarks api $(ARGS)

bench-send: .venv/dev.stamp ## a campaign end to end against smtp-source, nodemailer and a naive sender (about 20 minutes)
	tests/tools/fetch postfix nodemailer
	PATH="$$PWD/.tools/bin:$$PATH" $(PY) -m tests.benchmarks send $(ARGS)

bench-people: .venv/dev.stamp ## a million people: import, kill and resume, search, lists, segments (ARGS="--rows 10000,100000")
	$(PY) -m tests.benchmarks people-import people people-export $(ARGS)

lock: ## write both lock files anew
	test -x .tools/uv/bin/uv || { $(PYTHON) -m venv .tools/uv && .tools/uv/bin/python -m pip --quiet install uv; }
	$(LOCK) -o requirements.lock pyproject.toml requirements.build
	$(LOCK) -o requirements-dev.lock --extra dev --extra web pyproject.toml requirements.build
LOCK := .tools/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

clean: ## remove what was installed (not the data in var/)
	rm -rf .venv .tools tests/clients/.venv tests/clients/node_modules tests/benchmarks/*/node_modules

.venv/%.stamp: pyproject.toml Makefile | .venv/bin/python
	$(PIP) --require-hashes -r $(filter %.lock,$^)
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@
.venv/runtime.stamp: requirements.lock
.venv/dev.stamp: requirements-dev.lock

tests/clients/.venv/stamp: tests/clients/requirements.lock
	$(PYTHON) -m venv tests/clients/.venv
	tests/clients/.venv/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r $<
	touch $@

tests/clients/node_modules/.stamp: tests/clients/package-lock.json
	@command -v npm >/dev/null || { echo "Node (20 or newer) with npm is missing: the JavaScript client cannot be driven without it."; exit 1; }
	npm ci --prefix tests/clients --silent --no-audit --no-fund
	touch $@

.tools/fuzz/stamp: tests/fuzz/requirements.lock
	$(PYTHON) -m venv .tools/fuzz
	.tools/fuzz/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Postroom needs Python 3.11 or newer."; exit 1; }
	$(PYTHON) -m venv .venv
