# make run       start everything on this machine; Ctrl-C stops it, and the data stays in var/
# make test      run every test            make lint    run every check of the code
# make demo      show the main job, step by step, over real sockets
# make example-triage, example-signup, example-onboarding   run an example against a running AgentPost
# make screenshots   take the pictures of the console in docs/screenshots/ anew; needs Chromium
# make audit     look for known holes in our code and in what we install; needs a network
# make bench     measure beside peers, write docs/performance.md     make chaos   break things, write docs/reliability.md
#                both take ONLY=section and FULL=1
# make docs      build the documentation into site/
# make format    rewrite the code's layout  make clean   remove all that is not data or source
# make sdk       write anew what of the SDKs follows from the server's description
# make requirements   fix versions and hashes of what the three .in files name

VENV := .venv
PYTHON := $(VENV)/bin/python
EXAMPLES := examples/.venv
EXAMPLE := EXAMPLES_PYTHON=$(EXAMPLES)/bin/python $(PYTHON)
INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := $(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url

BANDIT = $(PYTHON) -m bandit --quiet --configfile pyproject.toml --recursive agentpost_site environments apikeys \
	webhooks inboxes mail

# A candidate may exist and still not work (a pyenv shim, a Python without venv), so each is tried.
FIND_PYTHON := for candidate in python3.13 python3.12 python3.11 python3; do \
	if $$candidate -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	then echo $$candidate; break; fi; done

.PHONY: run test lint audit demo docs bench chaos example-triage example-signup example-onboarding screenshots sdk format clean requirements
.DELETE_ON_ERROR:

run: $(VENV)/installed
	@AGENTPOST_DEVELOPMENT=1 exec $(PYTHON) manage.py serve

test: $(VENV)/installed-dev
	@$(PYTHON) -m pytest -n 2 --dist worksteal

lint: $(VENV)/installed-dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(if $(wildcard templates/*),$(PYTHON) -m djlint --quiet --lint templates)
	$(PYTHON) -m deptry .
	$(BANDIT)
	! git grep --line-number --extended-regexp '^(<<<<<<<|>>>>>>>|\|{7}) '

audit: $(VENV)/installed-dev
	$(BANDIT)
	$(PYTHON) -m pip_audit --require-hashes --disable-pip --requirement requirements.txt \
		--requirement requirements-dev.txt --requirement requirements-tracing.txt
	cd sdk/typescript && npm audit

demo: $(VENV)/installed
	@AGENTPOST_DEVELOPMENT=1 exec $(PYTHON) manage.py demo

example-triage: $(EXAMPLES)/installed
	@$(EXAMPLE) examples/start.py support_triage $(if $(PERSON),,--approve) $(ARGS)

example-signup: $(EXAMPLES)/installed
	@$(EXAMPLE) examples/start.py signup_bot $(ARGS)

example-onboarding: $(EXAMPLES)/installed
	@$(EXAMPLE) examples/start.py customer_onboarding $(ARGS)

bench: $(VENV)/installed-dev
	@$(PYTHON) -m bench $(ONLY) $(if $(FULL),--full)

chaos: $(VENV)/installed-dev
	@$(PYTHON) -m bench.chaos $(ONLY) $(if $(FULL),--full)

docs: $(VENV)/installed-dev
	$(PYTHON) -m agentpost_site.documentation.errors_page
	$(PYTHON) -m agentpost_site.documentation.llms
	@PYTHONPATH=. NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build
	@echo "To look at it: python3 -m http.server --directory site 8080"

screenshots: $(VENV)/installed-dev
	@DJANGO_SETTINGS_MODULE=tests.settings $(PYTHON) -m tests.browser.screenshots

sdk: $(VENV)/installed-dev
	$(PYTHON) sdk/python/generate.py
	cd sdk/typescript && npm ci --silent && npm run --silent generate

format: $(VENV)/installed-dev
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

clean:
	rm -rf $(VENV) $(EXAMPLES) site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf sdk/python/dist sdk/python/build sdk/typescript/dist sdk/typescript/node_modules
	find sdk -name '*.egg-info' -prune -exec rm -rf {} +
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

requirements: $(VENV)/installed-dev
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements-dev.in --constraint requirements.txt --output-file requirements-dev.txt
	$(COMPILE) requirements-tracing.in --constraint requirements-dev.txt --output-file requirements-tracing.txt

$(PYTHON):
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo "AgentPost needs Python 3.11, 3.12 or 3.13 with its venv module." >&2; exit 1; fi; \
	echo "Setting up $(VENV) with $$python ..."; \
	$$python -m venv --clear $(VENV)

$(VENV)/installed: requirements.txt | $(PYTHON)
	@echo "Installing requirements.txt ..."
	@$(INSTALL) --requirement requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing requirements-dev.txt ..."
	@$(INSTALL) --requirement requirements-dev.txt
	@touch $@

# The examples stand for somebody else's program: what they need is not pinned, so it stays out of the server's $(VENV).
$(EXAMPLES)/installed: sdk/python/pyproject.toml $(VENV)/installed
	@echo "Installing sdk/python into $(EXAMPLES) ..."
	@$(PYTHON) -m venv --clear $(EXAMPLES)
	@$(EXAMPLES)/bin/python -m pip install --quiet --disable-pip-version-check --editable sdk/python
	@touch $@
