#!/bin/sh
# Prints the path of a Python of the given minor version, such as 3.12: of pyenv if it has one, else of the PATH.
# pyenv's own python3.12 answers "command not found" unless a version is chosen, so each candidate is tried.
set -eu
wanted="$1"

is_wanted() {
  [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$wanted" ]
}

if command -v pyenv >/dev/null 2>&1; then
  for version in $(pyenv versions --bare 2>/dev/null | grep "^$wanted\.[0-9]*$" | sort -rV); do
    candidate="$(PYENV_VERSION="$version" pyenv which python 2>/dev/null)" || continue
    if is_wanted "$candidate"; then
      echo "$candidate"
      exit 0
    fi
  done
fi
for name in "python$wanted" python3; do
  if command -v "$name" >/dev/null 2>&1 && is_wanted "$name"; then
    command -v "$name"
    exit 0
  fi
done
echo "Python $wanted is not on this machine; install it (pyenv install $wanted, or apt-get install python$wanted-venv)." >&2
exit 1
