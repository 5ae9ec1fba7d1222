"""`python -m benchmarks [name …] [--rounds N]`: measures what is named, or all, and prints one table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from benchmarks import catalog, fairness, growth, host_pages, protocol, serving, state, trace
from benchmarks.harness import Section, Study, suite_study, table

__all__ = ["STUDIES", "main"]

STUDIES: dict[str, Study] = {
    "trace": trace.shoppers,
    "day": trace.a_day,
    "fairness": fairness.fairness,
    "requests": suite_study(serving.serving),
    "host-page": suite_study(serving.host_page),
    "host-pages": host_pages.host_pages,
    "commits-sqlite": suite_study(state.sqlite),
    "commits-postgresql": suite_study(state.postgresql),
    "growth-sqlite": growth.growth_on_sqlite,
    "growth-postgresql": growth.growth_on_postgresql,
    "protocol-reading": suite_study(protocol.reading),
    "protocol-writing": suite_study(protocol.writing),
    "protocol-adding": suite_study(protocol.adding),
    "catalog": suite_study(catalog.loading),
    "catalog-lookup": suite_study(catalog.looking_up),
}
"""What can be measured, in the order it is."""


def main(arguments: list[str]) -> int:
    """Measure, say on stderr how far it is, and print one table; 1 when something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, each beside its baseline.")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(STUDIES))
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: 5)")
    chosen = parser.parse_args(arguments)
    if chosen.rounds < 1:
        parser.error("--rounds must be at least 1")
    if unknown := sorted(set(chosen.names) - STUDIES.keys()):
        parser.error(f"there is no {', '.join(unknown)}; there is: {', '.join(STUDIES)}")
    here = Path(__file__).resolve().parents[1] / ".cache"
    here.mkdir(exist_ok=True)
    sections, failed = list[Section](), list[str]()
    for name in chosen.names or STUDIES:
        began = time.monotonic()
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        # Not the system's temporary folder: that may lie in memory, where a durable write costs nothing.
        try:
            with tempfile.TemporaryDirectory(prefix="bench-", dir=here) as folder:
                sections.append(STUDIES[name](Path(folder), chosen.rounds))
        except Exception:
            traceback.print_exc()
            failed.append(name)
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, median and range of {chosen.rounds} rounds\n")
    if sections:
        print(table(sections))
    if failed:
        print(f"\nNot measured (see above): {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
