"""`python -m benchmarks [name …] [--rounds N]`: measures the named suites, or all."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks import catalog, protocol, state
from benchmarks.harness import measure, table

__all__ = ["SUITES", "main"]

SUITES = {
    "catalog": catalog.loading,
    "catalog-lookup": catalog.looking_up,
    "state": state.suite,
    "protocol-reading": protocol.reading,
    "protocol-writing": protocol.writing,
    "protocol-adding": protocol.adding,
}
"""Name → context manager that takes an empty folder on the project's own disk and yields a `Suite`."""


def main(arguments: list[str]) -> int:
    """Measure and print one table for each suite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, each beside its baseline.")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(SUITES))
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default: 9)")
    chosen = parser.parse_args(arguments)
    if chosen.rounds < 1:
        parser.error("--rounds must be at least 1")
    if unknown := sorted(set(chosen.names) - SUITES.keys()):
        parser.error(f"there is no {', '.join(unknown)}; there is: {', '.join(SUITES)}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {chosen.rounds} rounds\n")
    here = Path(__file__).resolve().parents[1] / ".cache"
    here.mkdir(exist_ok=True)
    for name in chosen.names or SUITES:
        # Not the system's temporary folder: that may lie in memory, where a durable write costs nothing.
        with tempfile.TemporaryDirectory(prefix="bench-", dir=here) as folder, SUITES[name](Path(folder)) as suite:
            print(table(suite, measure(suite, chosen.rounds)), flush=True)
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
