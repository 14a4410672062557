#!/bin/sh
# Build the kernel's wheel into build/kernel and install it into .venv.
set -eu
cd "$(dirname "$0")/.."
bin="$PWD/.venv/bin"
PATH="$PATH:$HOME/.cargo/bin" # where rustup puts it, without a new shell

if ! command -v cargo > /dev/null; then
    echo "The native kernel needs Cargo (https://rustup.rs). Without it all works, and items are mapped in Python." >&2
    exit 1
fi
mkdir -p build/kernel
rm -f build/kernel/*.whl
"$bin/uv" tool run --quiet --from "maturin>=1.9,<2" maturin build --quiet --release --locked \
    --manifest-path kernel/Cargo.toml --interpreter "$bin/python" --out "$PWD/build/kernel"
"$bin/uv" pip install --quiet --python "$bin/python" --no-deps --reinstall build/kernel/*.whl
"$bin/python" -c 'from d2c.load_run.kernel.module import native; module, word = native(); print(word); raise SystemExit(not module)'
