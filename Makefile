# A newcomer needs `make demo` and `make test`. Each target installs what it needs into this folder first.
PYTHON ?= python3
BIN := .venv/bin
TESTS_IN_PARALLEL ?= 2
# Tests that need services wait for them a good part of their time, so there is one process more than cores.
WITH_SERVICES_IN_PARALLEL ?= 3
# The tests of one folder run in one process and share the services that they start.
SHARED_SERVICES = -n $(WITH_SERVICES_IN_PARALLEL) --dist loadgroup --no-loadscope-reorder
# Where it is set, as in many containers, each process of the local cloud compiles all its libraries again.
unexport PYTHONDONTWRITEBYTECODE
OTHER_PYTHONS ?= 3.12 3.13
# A migration, the lake's events, and deaths of the host: what `make test-real` runs on Microsoft's own extensions.
ON_EXTENSION = $(addprefix tests/end_to_end/test_,migration.py events.py crashes.py)

DEPLOYED = function_app.py activities d2c notebooks orchestrators triggers

.PHONY: demo test test-fast fuzz test-localcloud test-real test-extension lint lint-infra spark-classes kernel test-kernel format setup lock clean

demo: setup
	@$(BIN)/d2c demo

# Where nothing is cached, the types and Spark's classes take a core each for half a minute.
test: setup
	@$(MAKE) --no-print-directory -j2 lint spark-classes
	@$(BIN)/pytest tests/unit tests/replay tests/fuzz tests/kernel tests/localcloud/unit -n $(TESTS_IN_PARALLEL)
	@$(BIN)/pytest tests/end_to_end tests/contract tests/localcloud/contract $(SHARED_SERVICES) --durations 20

# What lint says is shown after the tests, beside which it runs.
test-fast: setup
	@mkdir -p build
	@$(MAKE) --no-print-directory lint > build/lint.log 2>&1 & lint=$$!; \
	  $(BIN)/pytest tests/unit tests/replay -n $(TESTS_IN_PARALLEL) --hypothesis-profile=few-examples; tests=$$?; \
	  wait $$lint; lint=$$?; cat build/lint.log; exit $$((tests || lint))

# 10,000 inputs at each door, others each time; `make test` tries the same hundred. FUZZ_SEED repeats a run.
fuzz: setup
	@seed=$${FUZZ_SEED:-$$(date +%s)}; echo "FUZZ_SEED=$$seed"; \
	  FUZZ_INPUTS=$${FUZZ_INPUTS:-10000} FUZZ_SEED=$$seed $(BIN)/pytest tests/fuzz \
	  tests/contract/http -n $(TESTS_IN_PARALLEL) --dist worksteal --show-capture=no -rf

test-localcloud: setup
	@$(MAKE) --no-print-directory -j2 lint spark-classes
	@$(BIN)/pytest tests/localcloud/unit -n $(TESTS_IN_PARALLEL)
	@$(BIN)/pytest tests/localcloud/contract $(SHARED_SERVICES)

# Slower, and not part of `make test`: Microsoft's own programs where they are, and the other Pythons that are supported.
test-real: setup
	@$(BIN)/pytest tests/real -rs
	@sh tools/test-on-extension.sh $(ON_EXTENSION)
	@export PATH="$$PATH:$$HOME/.cargo/bin"; \
	  if ! command -v cargo > /dev/null; then echo "Skipped: the native kernel, which needs Cargo (https://rustup.rs)."; \
	  elif ! cargo fetch --quiet --locked --manifest-path kernel/Cargo.toml; then \
	    echo "Skipped: the native kernel, whose crates cannot be fetched."; \
	  else $(MAKE) --no-print-directory test-kernel; fi
	@for version in $(OTHER_PYTHONS); do sh tools/test-other-python.sh $$version || exit 1; done

# Twenty minutes: Microsoft's extension waits a minute after each death of its host.
test-extension: setup
	@sh tools/test-on-extension.sh tests/end_to_end

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml $(DEPLOYED) tools localcloud/src benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Not part of `make lint`: checkov comes from the network, into a place of its own, and Bicep's compiler must be on the
# PATH. What that says of versions of APIs depends on the date; tests/real has all else that it says.
lint-infra: setup
	@for template in main events; do bicep lint infra/$$template.bicep --config infra/api-versions.json; done
	@mkdir -p build
	@$(BIN)/python -m tools.write_infra_template > build/infra.json
	@$(BIN)/uv tool run --quiet --from "checkov>=3,<4" checkov --file build/infra.json --config-file infra/.checkov.yaml

# Halves the start of each notebook's JVM, for whatever runs the local cloud in this checkout from then on.
spark-classes: setup
	@mkdir -p build
	@$(BIN)/python -m localcloud.databricks.notebook.archive_maker 2> build/spark-classes.log \
	  || { cat build/spark-classes.log; false; }

# The native kernel of the load path, which needs Cargo and is optional: nothing else here does. Its wheel is left in
# build/kernel, where `d2c deploy` finds it.
kernel: setup
	@sh tools/build-kernel.sh

# More items, and others: KERNEL_ITEMS=1000000 KERNEL_SEED=2 make test-kernel
test-kernel: kernel
	@KERNEL_ITEMS=$${KERNEL_ITEMS:-20000} $(BIN)/pytest tests/kernel -n $(TESTS_IN_PARALLEL) -rs

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

setup: .venv/.installed localcloud/node/node_modules/.package-lock.json

.venv/.installed: requirements-dev.lock pyproject.toml localcloud/pyproject.toml
	@sh tools/check-prerequisites.sh "$(PYTHON)"
	@echo "Installing the Python packages into .venv ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet "uv>=0.8,<1"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation \
	  --editable . --editable ./localcloud
	@touch $@

localcloud/node/node_modules/.package-lock.json: localcloud/node/package-lock.json
	@echo "Installing Azurite and the demo's data sets into localcloud/node ..."
	@npm ci --prefix localcloud/node --no-audit --no-fund --ignore-scripts --silent
	@touch $@

lock:
	@$(BIN)/uv pip compile pyproject.toml localcloud/pyproject.toml --extra app --extra cli --group dev \
	  --no-emit-package d2c --universal --python-version 3.11 --generate-hashes --no-header --quiet \
	  --output-file requirements-dev.lock
	@$(BIN)/uv pip compile pyproject.toml --extra app --constraint requirements-dev.lock \
	  --no-emit-package d2c --universal --python-version 3.11 --generate-hashes --no-annotate --quiet \
	  --custom-compile-command "make lock" --output-file requirements.txt
	@$(MAKE) --no-print-directory setup
	@$(BIN)/python -m tools.write_licences

clean:
	@rm -rf .venv build kernel/target localcloud/node/node_modules
