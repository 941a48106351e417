# Two commands for everybody: `make demo` runs the main job, `make test` passes the tests. Both make their own environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test check soak mutations bench browser lock translate clean help

help:            ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## / — /'

$(VENV)/.demo: requirements/demo.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements/demo.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements/dev.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@ $(VENV)/.demo

demo: $(VENV)/.demo ## play one referral on real homeservers; ONCE=1 verifies and stops
	ONCE=$(ONCE) $(BIN)/python -m deploy.demo

test: $(VENV)/.dev ## everything, real components included
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(VENV)/.dev ## style, types, import order, dependencies
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m hub.base.i18n check
	$(BIN)/python -m keys.vectors.generate --check

soak: $(VENV)/.dev ## ten thousand referrals under three hundred faults; hours; SOAK_REFERRALS, SOAK_FAULTS, SOAK_SEED, SOAK_MINUTES, SOAK_SENDER
	$(BIN)/python -m tests.attacks.soak

mutations: $(VENV)/.dev ## disable each defence in a copy; its test must fail (about ten minutes)
	$(BIN)/python -m tests.attacks.mutate $(IDS)

bench: $(VENV)/.dev ## benchmarks: a table, and bench/results/*.json
	$(BIN)/python -m bench

browser:         ## the things that must come from Debian: a browser for the pictures, a token in software (SoftHSM2) for the key tests
	command -v chromium >/dev/null && command -v softhsm2-util >/dev/null || (apt-get update -q && apt-get install -q -y chromium softhsm2)

lock: $(VENV)/.dev ## compile requirements/*.txt with hashes and without registry addresses
	for group in base demo dev; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml \
	    --extra postgres $$(case $$group in demo) echo --group demo;; dev) echo --group demo --group dev;; esac) -o requirements/$$group.txt; done

translate: $(VENV)/.dev ## add new sentences to the catalogues
	$(BIN)/python -m hub.base.i18n extract

clean:           ## remove what was made here
	rm -rf $(VENV) .demo .test build dist
