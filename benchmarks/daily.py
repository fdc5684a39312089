"""`python -m benchmarks.daily`: how reliably pictures are found after what clients do to them every day.

Subjects are drawn scenes with cars, and with `--photos DIR` photographs with plates laid in. Each is searched under
each change with its own fixture in the index, and with its one-character neighbour only. Limits were set on subjects of
the first half (`--half tune`); the figures of `docs/matching.md` are those of the other half, with other photographs.
"""

import argparse
import os
import random
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

# One core for each search. It has to be set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.changes import saved
from benchmarks.corpus import Drawn, hardly_differ, neighbour, random_text
from benchmarks.daily_changes import DAILY
from benchmarks.daily_subjects import kinds
from benchmarks.results import HARDLY_DIFFERENT
from benchmarks.sent_pictures import Sent
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
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.queries += other.queries
        self.found += other.found
        self.wrong += other.wrong
        self.neighbours += other.neighbours
        self.errors += other.errors
        self.failures += other.failures


Tallies = dict[tuple[str, str], Tally]


def subject(number: int, seed: int, photos: Sequence[Path]) -> Subject:
    """The subject of this number; the same arguments give the same pixels."""
    rng = random.Random(seed * 1_000_003 + number)
    makers = kinds(photos)
    scene = makers[number % len(makers)](seed * 500 + number)
    text = random_text(rng, scene.length)
    own, other = scene.draw(text), scene.draw(neighbour(text, rng, hard=number % 3 != 0))
    references = [
        Reference(f"{name}-{number}", saved(drawn.image, quality=92), (Region(drawn.box, len(text)),))
        for name, drawn in (("own", own), ("neighbour", other))
    ]
    source = HARDLY_DIFFERENT if hardly_differ(own, other) else scene.style
    return Subject(source, own, *references)


def measure(one: Subject, own: ImageIndex, other: ImageIndex, groups: Sequence[str] = ()) -> Tallies:
    """Search for a subject under every change, or under those of some groups."""
    tallies: Tallies = defaultdict(Tally)
    for change in DAILY:
        sent = change.make(one.drawn.image, one.drawn.box) if change.group in groups or not groups else None
        if sent is not None and sent.width_of(one.drawn.box) / len(one.drawn.text) >= _SURE:
            _search(tallies[change.name, one.source], f"{one.own.id} {one.source} {change.name}", one, sent, own, other)
    return dict(tallies)


def _search(tally: Tally, name: str, one: Subject, sent: Sent, own: ImageIndex, other: ImageIndex) -> None:
    """Count the searches for a sent picture with its own fixture in the index, and with its neighbour."""
    search, neighbours = own.find(sent.data), other.find(sent.data).matches
    is_found = any(match.id == one.own.id for match in search.matches)
    wrong = [match for match in search.matches if match.id != one.own.id]
    tally.queries += 1
    tally.found += is_found
    tally.wrong += bool(wrong)
    tally.neighbours += bool(neighbours)
    nearest = "; ".join(f"{miss.id} {miss.reason} {miss.score - miss.limit:.1f}" for miss in search.near_misses)
    tally.failures += [f"MISS {name}: {nearest}"] * (not is_found)
    tally.failures += [f"WRONG {match.id} for {name}: {match.score - match.limit:.1f}" for match in wrong]
    tally.failures += [f"FALSE {match.id} for {name}: {match.score - match.limit:.1f}" for match in neighbours]
    for match in search.matches:
        if match.id == one.own.id:
            box, size = match.placement.map(one.drawn.box), match.placement.sent_size
            corners = sent.corners(one.drawn.box)
            true = np.clip([corners.min(axis=0), corners.max(axis=0)], 0, size).ravel()
            tally.errors.append(float(np.abs(true - (box.xmin, box.ymin, box.xmax, box.ymax)).max()))


def show(tallies: Tallies) -> None:
    """Print a row for each change and group of them, one for each source, and one for all.

    Pairs of 0 and O that look the same have a row of their own and count in no other.
    """
    print(f"{'':28} {'queries':>8} {'found':>8} {'wrong':>6} {'neighbour':>10} {'box error, px: median, 99th':>28}")
    told_apart = {key: tally for key, tally in tallies.items() if key[1] != HARDLY_DIFFERENT}
    for change in DAILY:
        _show_row(change.name, [tally for (name, _), tally in told_apart.items() if name == change.name])
    for group in dict.fromkeys(change.group for change in DAILY):
        names = {change.name for change in DAILY if change.group == group}
        _show_row(f"group: {group}", [tally for (name, _), tally in told_apart.items() if name in names])
    for source in sorted({source for _, source in told_apart}):
        _show_row(f"all, {source}", [tally for (_, its), tally in told_apart.items() if its == source])
    _show_row("all", list(told_apart.values()))
    _show_row(f"all, {HARDLY_DIFFERENT}", [tally for (_, its), tally in tallies.items() if its == HARDLY_DIFFERENT])


def _show_row(name: str, tallies: list[Tally]) -> None:
    if not tallies:
        return
    total = Tally()
    for tally in tallies:
        total.add(tally)
    median, high = np.percentile(total.errors or [0.0], (50, 99))
    share = 100 * total.found / max(1, total.queries)
    print(
        f"{name:28} {total.queries:8} {share:7.1f}% {total.wrong:6} {total.neighbours:10} {median:20.1f} {high:7.1f}",
        flush=True,
    )


_setting: list[tuple[list[Subject], ImageIndex, ImageIndex, Sequence[str]]] = []
"""What the worker processes, which are forked, work with."""


def _measure_number(number: int) -> Tallies:
    subjects, own, other, groups = _setting[0]
    return measure(subjects[number], own, other, groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=200)
    parser.add_argument("--short", action="store_true", help="16 subjects, in a few minutes")
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--groups", nargs="*", default=[], help="only the changes of these groups")
    parser.add_argument("--misses", action="store_true", help="list every miss and every wrong match")
    wanted = parser.parse_args()
    count = 16 if wanted.short else wanted.subjects
    is_report = wanted.half == "report"
    photos = sorted(wanted.photos.iterdir())[is_report::2] if wanted.photos else []
    first = 10_000 if is_report else 0
    subjects = [subject(number, wanted.seed, photos) for number in range(first, first + count)]
    own = ImageIndex.build([one.own for one in subjects])
    other = ImageIndex.build([one.other for one in subjects])
    _setting.append((subjects, own, other, wanted.groups))
    tallies: Tallies = defaultdict(Tally)
    with ProcessPoolExecutor(wanted.jobs, get_context("fork")) as pool:
        for share in pool.map(_measure_number, range(len(subjects))):
            for key, tally in share.items():
                tallies[key].add(tally)
                for line in tally.failures if wanted.misses else ():
                    print(line, flush=True)
    show(tallies)


if __name__ == "__main__":
    main()
