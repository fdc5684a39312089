"""`python -m benchmarks.daily`: how reliably pictures are found after what clients do to them every day.

Subjects are drawn scenes with cars, and with `--photos DIR` photographs with plates laid in. Each is searched under
each change with its own fixture in the index, and with its one-character neighbour only. Limits were set on subjects of
the first half (`--half tune`); the figures of `docs/matching.md` are those of the other half.
"""

import argparse
import os
import random
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

# One core for each search. It has to be set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks import styles
from benchmarks.changes import saved
from benchmarks.corpus import Drawn, Scene, hardly_differ, neighbour, random_text
from benchmarks.daily_changes import DAILY
from benchmarks.results import HARDLY_DIFFERENT
from mock_server.imaging.index import ImageIndex, Reference, Region

# Pixels per character in the sent picture from which a change counts.
_SURE = 8.0


@dataclass(frozen=True)
class Subject:
    """A picture with its own fixture and that of its neighbour; `source`: where it comes from."""

    source: str
    drawn: Drawn
    own: Reference
    other: Reference


@dataclass
class Tally:
    """The searches of one change on one source: those with enough pixels per character, and the errors of boxes."""

    queries: int = 0
    found: int = 0
    wrong: int = 0
    neighbours: int = 0
    errors: list[float] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.queries += other.queries
        self.found += other.found
        self.wrong += other.wrong
        self.neighbours += other.neighbours
        self.errors += other.errors


Tallies = dict[tuple[str, str], Tally]


def subject(number: int, seed: int, photos: Path | None) -> Subject:
    """The subject of this number; the same arguments give the same pixels."""
    rng = random.Random(seed * 1_000_003 + number)
    kinds: list[Callable[[int], Scene]] = [styles.drawn_scene, styles.street]
    if photos:
        kinds = [lambda of: styles.snapshot(of, photos)] * 3 + kinds
    scene = kinds[number % len(kinds)](seed * 500 + number)
    text = random_text(rng, scene.length)
    own, other = scene.draw(text), scene.draw(neighbour(text, rng, hard=number % 3 != 0))
    references = [
        Reference(f"{name}-{number}", saved(drawn.image, quality=92), (Region(drawn.box, len(text)),))
        for name, drawn in (("own", own), ("neighbour", other))
    ]
    source = HARDLY_DIFFERENT if hardly_differ(own, other) else scene.style
    return Subject(source, own, *references)


def measure(one: Subject, own: ImageIndex, other: ImageIndex) -> Tallies:
    """Search for a subject under every change."""
    tallies: Tallies = defaultdict(Tally)
    for change in DAILY:
        sent = change.make(one.drawn.image, one.drawn.box)
        corners = sent.corners(one.drawn.box)
        if float(np.linalg.norm(corners[1] - corners[0])) / len(one.drawn.text) < _SURE:
            continue
        tally = tallies[change.name, one.source]
        matches = own.find(sent.data).matches
        tally.queries += 1
        tally.wrong += any(match.id != one.own.id for match in matches)
        tally.neighbours += bool(other.find(sent.data).matches)
        for match in matches:
            if match.id == one.own.id:
                tally.found += 1
                box, size = match.placement.map(one.drawn.box), match.placement.sent_size
                true = np.clip([corners.min(axis=0), corners.max(axis=0)], 0, size).ravel()
                tally.errors.append(float(np.abs(true - (box.xmin, box.ymin, box.xmax, box.ymax)).max()))
    return dict(tallies)


def show(tallies: Tallies) -> None:
    """Print a row for each change, one for each source, and one for all."""
    print(f"{'':24} {'queries':>8} {'found':>8} {'wrong':>6} {'neighbour':>10} {'box error, px: median, 99th':>28}")
    for name in [change.name for change in DAILY]:
        _show_row(name, [tally for (change, _), tally in tallies.items() if change == name])
    for source in sorted({source for _, source in tallies}):
        _show_row(f"all, {source}", [tally for (_, its), tally in tallies.items() if its == source])
    _show_row("all but 0 or O", [tally for (_, its), tally in tallies.items() if its != HARDLY_DIFFERENT])


def _show_row(name: str, tallies: list[Tally]) -> None:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    median, high = np.percentile(total.errors or [0.0], (50, 99))
    share = 100 * total.found / max(1, total.queries)
    print(
        f"{name:24} {total.queries:8} {share:7.1f}% {total.wrong:6} {total.neighbours:10} {median:20.1f} {high:7.1f}",
        flush=True,
    )


_setting: list[tuple[list[Subject], ImageIndex, ImageIndex]] = []
"""What the worker processes, which are forked, work with."""


def _measure_number(number: int) -> Tallies:
    subjects, own, other = _setting[0]
    return measure(subjects[number], own, other)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=200)
    parser.add_argument("--short", action="store_true", help="16 subjects, in a few minutes")
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args()
    count = 16 if wanted.short else wanted.subjects
    first = 0 if wanted.half == "tune" else 10_000
    subjects = [subject(number, wanted.seed, wanted.photos) for number in range(first, first + count)]
    own = ImageIndex.build([one.own for one in subjects])
    other = ImageIndex.build([one.other for one in subjects])
    _setting.append((subjects, own, other))
    tallies: Tallies = defaultdict(Tally)
    with ProcessPoolExecutor(wanted.jobs, get_context("fork")) as pool:
        for share in pool.map(_measure_number, range(len(subjects))):
            for key, tally in share.items():
                tallies[key].add(tally)
    show(tallies)


if __name__ == "__main__":
    main()
