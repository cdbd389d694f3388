"""Runs cycles of seeding, testing and cleaning under faults, and says what was left, made twice or touched.

Each cycle has a seed, from which its schedule of faults is drawn; ``--seed N`` runs one again and prints it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "chaos"))

import chaos_cycle
import chaos_schedules

# Cycles that a process takes at a time.
CHUNK = 25


class Figures:
    """What cycles came to, added up."""

    def __init__(self) -> None:
        self.cycles = 0
        self.recoverable = 0
        self.failed = 0
        self.requests = 0
        self.struck: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.reports: list[str] = []

    def add(self, seed: int, report: chaos_cycle.Report) -> None:
        """Add a cycle."""
        self.cycles += 1
        self.recoverable += report.recoverable
        self.failed += report.error is not None
        self.requests += report.requests
        self.struck += report.struck
        self.found += Counter({finding.kind for finding in report.findings})
        if report.findings:
            self.reports.append(f"seed {seed}, {report}")

    def __iadd__(self, other: Figures) -> Figures:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self


def run(seeds: Sequence[int]) -> Figures:
    """Run the cycles of some seeds, one after the other."""
    figures = Figures()
    for seed in seeds:
        figures.add(seed, chaos_cycle.run(chaos_schedules.drawn(seed)))
    return figures


def run_all(first: int, cycles: int, processes: int) -> Iterator[Figures]:
    """Run cycles in several processes; yield figures as they come."""
    seeds = range(first, first + cycles)
    chunks = [seeds[start : start + CHUNK] for start in range(0, cycles, CHUNK)]
    if processes == 1:
        yield from map(run, chunks)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(run, chunks)


def table(figures: Figures, seconds: float, processes: int) -> str:
    """Return the figures as the table of RESULTS.md."""
    found = figures.found
    rows = [
        ("cycles", f"{figures.cycles:,}"),
        (
            "recoverable / unrecoverable",
            f"{figures.recoverable:,} / {figures.cycles - figures.recoverable:,}",
        ),
        ("requests of ours", f"{figures.requests:,}"),
        ("faults that struck", f"{figures.struck.total():,}"),
        *((f"- {kind}", f"{number:,}") for kind, number in figures.struck.most_common()),
        ("recoverable that failed, or the other way round", f"{found['outcome']}"),
        ("with orphans", f"{found['orphan']}"),
        ("with duplicates", f"{found['duplicate']}"),
        ("with a test on half a seed", f"{found['half seed']}"),
        ("with strangers' records touched", f"{found['stranger']}"),
        ("with an error that is not clear", f"{found['error']}"),
        ("seconds", f"{seconds:.0f} ({processes} processes)"),
    ]
    return "\n".join(f"{name:<48}{value:>20}" for name, value in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 1 when a cycle came to what it should not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first cycle's seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, help="run this cycle alone, and print it")
    given = parser.parse_args(arguments)
    if given.seed is not None:
        report = chaos_cycle.run(chaos_schedules.drawn(given.seed))
        print(report)
        print(f"struck: {dict(report.struck)}")
        print(f"error: {report.error}")
        return 1 if report.findings else 0
    started = time.perf_counter()
    figures = Figures()
    for some in run_all(given.first, given.cycles, given.processes):
        figures += some
        for text in some.reports:
            print(text, flush=True)
    print(table(figures, time.perf_counter() - started, given.processes))
    return 1 if figures.reports else 0


if __name__ == "__main__":
    sys.exit(main())
