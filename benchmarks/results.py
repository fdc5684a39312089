"""The counts of the matching benchmark, and the table that shows them."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial

import numpy as np

HARD = "hard"
HARDLY_DIFFERENT = "0 or O"
"""In place of the size of the characters: the neighbour differs by a 0 for an O that looks the same."""


@dataclass
class Tally:
    """Counts of one kind of search."""

    queries: int = 0
    found: int = 0
    wrong: int = 0
    false: int = 0


@dataclass
class Results:
    """All results of a run."""

    tallies: dict[tuple[str, str, str], Tally] = field(default_factory=partial(defaultdict, Tally))
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)
    unrelated: int = 0
    unrelated_false: int = 0

    def add(self, other: "Results") -> None:
        """Add the results of another process."""
        for key, theirs in other.tallies.items():
            ours = self.tallies[key]
            ours.queries += theirs.queries
            ours.found += theirs.found
            ours.wrong += theirs.wrong
            ours.false += theirs.false
        self.errors += other.errors
        self.seconds += other.seconds
        self.misses += other.misses
        self.unrelated += other.unrelated
        self.unrelated_false += other.unrelated_false


def show(results: Results) -> None:
    """Print the table."""
    print(f"{'fixture':8} {'change':12} {'cell':8} {'queries':>8} {'recall':>8} {'wrong':>6} {'neighbour':>10}")
    for (boxed, kind, band), tally in sorted(results.tallies.items()):
        print(_row(boxed, kind, band, tally))
    for boxed in ("boxed", "no box"):
        for band in (">= 8 px", "5-8 px", HARDLY_DIFFERENT):
            for title, hard in (("all but hard", False), (HARD, True)):
                some = [
                    tally
                    for (is_boxed, kind, its), tally in results.tallies.items()
                    if is_boxed == boxed and its == band and (kind == HARD) == hard
                ]
                if some:
                    total = Tally(
                        *(sum(getattr(t, name) for t in some) for name in ("queries", "found", "wrong", "false"))
                    )
                    print(_row(boxed, title, band, total))
    errors = np.array(results.errors or [0.0])
    median, high = np.percentile(errors, (50, 99))
    print(f"box error, px: median {median:.1f}, 99th {high:.1f}, worst {errors.max():.1f}")
    print(f"unrelated pictures: {results.unrelated_false} false of {results.unrelated}")


def _row(boxed: str, kind: str, band: str, tally: Tally) -> str:
    share = 100 * tally.found / max(tally.queries, 1)
    return f"{boxed:8} {kind:12} {band:8} {tally.queries:8} {share:7.2f}% {tally.wrong:6} {tally.false:10}"
