#!/bin/sh
# Runs the unit and replay tests under another Python, such as 3.12, in an environment of its own below build/. Where
# Microsoft's worker library is to be had, a migration goes through it too.
set -eu
version="$1"
uv=.venv/bin/uv
environment="build/python-$version"

if ! python="$(sh tools/find-python.sh "$version")"; then
  echo "Skipped: the tests under Python $version."
  exit 0
fi
echo "Unit and replay tests under Python $version ($python) ..."
test -x "$environment/bin/python" || "$uv" venv --quiet --python "$python" "$environment"
"$uv" pip sync --quiet --python "$environment/bin/python" --require-hashes requirements-dev.lock
"$uv" pip install --quiet --python "$environment/bin/python" --no-deps --no-build-isolation \
  --editable . --editable ./localcloud
"$environment/bin/python" -m pytest tests/unit tests/replay -n "${TESTS_IN_PARALLEL:-2}"
# There the local host calls the app through Microsoft's own worker library, which older Pythons cannot have.
if "$environment/bin/python" -c "import azure_functions_runtime" 2>/dev/null; then
  exec "$environment/bin/python" -m pytest tests/localcloud/contract/functions_host tests/end_to_end/test_migration.py
fi
