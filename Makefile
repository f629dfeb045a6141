# The front door. `make demo` is the whole way once; `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down test test-full bench lint lock clean

LAKE := .venv/bin/lake

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: venv ## Python packages and engines, downloaded and checked (quick when they are there)
	@$(LAKE) fetch

.PHONY: venv
venv:
	@stack/setup.sh

demo: setup ## orders from Kafka to a tested mart, and what came of them
	@$(LAKE) demo

up: setup ## start the stack
	@$(LAKE) up

down: venv ## stop the stack
	@$(LAKE) down

test: setup ## the gate: unit and integration tests, on a stack of their own
	@.venv/bin/pytest --numprocesses 2 --dist loadgroup

test-full: setup ## the long matrices and more seeds as well
	@.venv/bin/pytest -m "full or not full"

bench: setup ## measure; the figures in docs/figures.md come from here
	@.venv/bin/python -m bench

lint: venv ## ruff and sqlfluff
	@.venv/bin/ruff check .
	@.venv/bin/sqlfluff lint dbt_project/models dbt_project/tests

COMPILE := .lake/uv/bin/uv pip compile --universal --generate-hashes --no-annotate --no-header --quiet

lock: ## resolve pyproject.toml anew into both locks, keeping pins that still fit
	@stack/setup.sh uv
	@$(COMPILE) pyproject.toml --group dev --output-file requirements.lock
	@$(COMPILE) --group airflow --python-version 3.11 --output-file requirements-airflow.lock

clean: ## stop the stack, delete its data and .venv; downloaded engines stay
	@if [ -x $(LAKE) ]; then $(LAKE) reset --yes; fi
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs
