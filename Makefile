.DEFAULT_GOAL := help
PYTHON ?= python3
SINCE ?= origin/main
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input

.PHONY: help demo setup test unit affected long e2e check format bench guard soak audit docs package lock clean build-ProviderFunction build-LastResortFunction

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.13 ...")'
	@echo "setting up .venv (once)"
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/run.lock | .venv/bin/python
	@echo "installing what the provider runs on, from requirements/run.lock"
	@$(PIP) install --require-hashes -r requirements/run.lock
	@echo "$(CURDIR)" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/checkout.pth"
	@touch $@

.venv/dev.stamp: requirements/dev.lock .venv/run.stamp
	@echo "installing what tests and checks need, from requirements/dev.lock"
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

demo: .venv/run.stamp ## rehearse an example stack's whole life, offline
	@$(BIN)/python -m provider rehearse examples/cloudformation/golden-image.yaml examples/cloudformation/golden-image-exported.yaml

setup: .venv/dev.stamp ## install everything that tests and checks need into .venv

test: check unit ## all checks and all tests

unit: .venv/dev.stamp .venv-package/stamp ## run the tests without the checks
	@$(BIN)/python -m pytest -n auto --dist loadfile

affected: .venv/dev.stamp .venv-package/stamp ## run the tests that your changes since SINCE affect (origin/main)
	@$(BIN)/python -m tests.affected $(SINCE) > .venv/affected
	@test ! -s .venv/affected || $(BIN)/python -m pytest -n auto --dist loadfile $$(cat .venv/affected)

long: .venv/dev.stamp ## run the tests that take minutes: 2,000 random scenarios
	@$(BIN)/python -m pytest -n auto -m long

e2e: .venv/dev.stamp .venv-e2e/stamp .venv-e2e/cdk.stamp ## the built functions under Lambda's runtime client, stacks in an emulated account
	@$(BIN)/python -m pytest e2e -n 2 --dist loadfile

# Lambda's own Python where this machine has it; else what there is, and the tests say so. The lock file is complete;
# with --no-deps, pip does not stumble over extras there.
.venv-e2e/stamp: requirements/e2e.lock | .venv/bin/python
	@echo "installing what the end-to-end tests need into .venv-e2e, from requirements/e2e.lock"
	@for python in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python $(BIN)/python; do \
	  "$$python" -m venv --clear --without-pip .venv-e2e 2>/dev/null && break; done
	@$(PIP) --python .venv-e2e/bin/python install --require-hashes --no-deps -r requirements/e2e.lock
	@touch $@

# The CDK's own command, and what the example in TypeScript takes.
.venv-e2e/cdk.stamp: examples/cdk/typescript/package-lock.json .venv-e2e/stamp
	@mkdir -p .venv-e2e/cdk
	@cp examples/cdk/typescript/package.json examples/cdk/typescript/package-lock.json .venv-e2e/cdk
	@npm ci --silent --no-audit --no-fund --prefix .venv-e2e/cdk
	@touch $@

check: .venv/dev.stamp ## lint, format and types alone
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: .venv/dev.stamp ## put the code into its format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/dev.stamp .venv-e2e/stamp ## measure a start of the provider and of its peers, and the checking of properties
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.cost > docs/cost.md
	@$(BIN)/python -m benchmarks.properties

guard: .venv/dev.stamp ## fail if a cold start takes too many instructions (needs valgrind)
	@$(BIN)/python -m benchmarks.guard

soak: .venv/dev.stamp ## a thousand requests with a tenth of all calls failing, then ten thousand random scenarios
	@$(BIN)/python -m tests.reliability.soak
	@$(BIN)/python -m tests.reliability.scenarios --first 2000 --count 10000

audit: .venv-audit/stamp ## checkov on the template, and what is known against the locked packages
	@.venv-audit/bin/checkov
	@$(BIN)/python -m tests.audit .venv-audit/bin/pip-audit

.venv-audit/stamp: requirements/audit.lock | .venv/bin/python
	@echo "installing what audits into .venv-audit, from requirements/audit.lock"
	@$(BIN)/python -m venv --clear --without-pip .venv-audit
	@$(PIP) --python .venv-audit/bin/python install --require-hashes --no-deps -r requirements/audit.lock
	@touch $@

docs: .venv/run.stamp ## write the reference, the schema and the construct's typed properties anew
	@$(BIN)/python -m provider schema --output docs/properties.schema.json
	@$(BIN)/python -m provider docs --output docs/reference.md
	@$(BIN)/python -m tests.lint.docs
	@$(BIN)/python -m tests.preflight.docs
	@$(BIN)/python -m provider.authoring.typed > provider/construct/properties.py

package: .venv-package/stamp ## a template and zips for CloudFormation without SAM, in build/package
	@rm -rf build/package
	@.venv-package/bin/python -m provider.build.package template.yaml build/package

.venv-package/stamp: requirements/package.lock | .venv/bin/python
	@echo "installing what packages into .venv-package, from requirements/package.lock"
	@$(BIN)/python -m venv --clear .venv-package
	@$(PIP) --python .venv-package/bin/python install --require-hashes -r requirements/package.lock
	@touch $@

# `sam build` calls these.
build-ProviderFunction build-LastResortFunction: build-%: | .venv/bin/python
	@$(BIN)/python -m provider.build.artifact $* "$(ARTIFACTS_DIR)"

lock: ## resolve requirements/*.in anew into the lock files
	@$(PIP) install uv
	@for part in lambda run dev e2e bench audit package; do lock=requirements/$$part.lock; test $$part != lambda || lock=provider/build/lambda.lock; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-header --no-annotate requirements/$$part.in -o $$lock; done

clean: ## remove everything that was set up or built
	@rm -rf .venv .venv-e2e .venv-audit .venv-package .aws-sam .cache .hypothesis build
