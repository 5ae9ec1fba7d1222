#!/bin/sh
# The widget's tests, then pytest over everything else. Arguments go to pytest. `make test` sets up first.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH" # Node.js is here where the machine has none

if [ ! -f widget/package.json ]; then
    echo "widget: there is no widget/package.json, so there is no widget to test"
elif ! command -v node >/dev/null; then
    echo "widget: NOT TESTED, Node.js is missing; see what .ci/setup.py said above" >&2
    [ "${CI:-}" != "true" ] || exit 1
else
    echo "widget: node --test widget/test/*.test.mjs"
    node --test widget/test/*.test.mjs
fi

exec .venv/bin/python -m pytest "$@"
