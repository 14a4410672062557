#!/bin/sh
# Runs end-to-end tests on Microsoft's own Durable and blob extensions: sh tools/test-on-extension.sh TEST ...
# The program is `extension-host`, by D2C_EXTENSION_HOST or from the PATH. It has a fixed port, so one process runs them.
set -eu
cd "$(dirname "$0")/.."
program=${D2C_EXTENSION_HOST:-$(command -v extension-host || true)}
if [ -z "$program" ]; then
    echo "extension-host is not here: put its folder on the PATH, or set D2C_EXTENSION_HOST to it. Skipped: $*"
    [ "${D2C_REAL_TOOLS:-}" != required ]
    exit
fi
D2C_EXTENSION_HOST=$program
export D2C_EXTENSION_HOST
exec .venv/bin/pytest "$@"
