#!/bin/sh
# Names every missing prerequisite of `make demo` and `make test`, each with the command that installs it.
python="${1:-python3}"
missing=0

complain() {
  echo "Missing: $1. Install it, for example on Debian or Ubuntu: $2" >&2
  missing=1
}

"$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null ||
  complain "Python 3.11 to 3.13 with its venv module (looked at: $python)" "sudo apt-get install python3.11 python3.11-venv, then make PYTHON=python3.11"

java_version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
[ "${java_version:-0}" -ge 17 ] ||
  complain "Java 17 or newer, for Spark (found: ${java_version:-none})" "sudo apt-get install openjdk-17-jre-headless"

node_version=$(node --version 2>/dev/null | sed 's/v\([0-9]*\).*/\1/')
[ "${node_version:-0}" -ge 20 ] ||
  complain "Node.js 20 or newer, for Azurite (found: ${node_version:-none})" "see https://nodejs.org/en/download, or sudo apt-get install nodejs npm"

command -v npm >/dev/null ||
  complain "npm, for Azurite" "sudo apt-get install npm"

exit $missing
