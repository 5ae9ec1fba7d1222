#!/bin/sh
# Lint, format, types and the size of the widget; stops at the first that fails. `make check` sets up first.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH" # Node.js is here where the machine has none
bin=.venv/bin

step() {
    echo "check: $*"
    "$@"
}

step $bin/ruff check .
step $bin/ruff format --check .
step $bin/mypy
step $bin/pyright --pythonpath $bin/python
if [ -f widget/tsconfig.json ]; then
    step widget/node_modules/.bin/tsc --noEmit --checkJs --project widget/tsconfig.json
fi
if [ -f widget/build.mjs ]; then
    step node widget/build.mjs --check
fi
if [ -f widget/package.json ] || [ -f flask_ecscart/static/ecscart.js ]; then
    step node .ci/size.mjs
fi
