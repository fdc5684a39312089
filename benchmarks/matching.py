"""How well and how fast pictures are told apart: `python -m benchmarks.matching`.

Everything is drawn from seeds; nothing is fetched. `--photos DIR` takes photographs from a directory as
further grounds. One table is printed. Times are processor times of one thread.
"""

import argparse
import os
import random
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# One query, one core: before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks import styles
from benchmarks.changes import CHANGES, Change, saved
from benchmarks.corpus import Drawn, Scene, neighbour, random_text
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region

HARD = "hard"


@dataclass(frozen=True)
class Subject:
    """One scene: its own picture, and its fixture both as it is and with one character changed."""

    id: str
    drawn: Drawn
    boxed: bool
    own: Reference
    other: Reference


@dataclass
class Tally:
    """Counts of one kind of query."""

    queries: int = 0
    found: int = 0
    wrong: int = 0
    false: int = 0


@dataclass
class Results:
    """Everything that was measured."""

    tallies: dict[tuple[str, str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)
    unrelated: int = 0
    unrelated_false: int = 0


def subjects(count: int, seed: int, photos: Path | None) -> Iterator[Subject]:
    """So many scenes of all styles, every second one with its box declared."""
    kinds = [*styles.TUNING, *styles.HELD_OUT]
    for number in range(count):
        rng = random.Random(seed * 1_000_003 + number)
        scene = _scene(kinds, number, seed, photos)
        text = random_text(rng, scene.length)
        own, other = scene.draw(text), scene.draw(neighbour(text, rng, hard=number % 3 != 0))
        id = f"{scene.style}-{number}"
        boxed = number // (len(kinds) + 1) % 2 == 0
        format = ("JPEG", {"quality": 92}) if number % 2 else ("PNG", {})
        made = [
            Reference(
                name,
                saved(drawn.image, format[0], **format[1]),
                (Region(drawn.box, len(drawn.text)),) if boxed else (),
            )
            for name, drawn in ((id, own), (f"{id}-neighbour", other))
        ]
        yield Subject(id, own, boxed, made[0], made[1])


def _scene(kinds: list, number: int, seed: int, photos: Path | None) -> Scene:  # type: ignore[type-arg]
    place = number % (len(kinds) + 1)
    if place == len(kinds):
        return styles.photograph(seed + number, photos) if photos else styles.lines(seed + number)
    scene: Scene = kinds[place](seed + number)
    return scene


def distractors(count: int, seed: int) -> Iterator[Reference]:
    """Further fixtures: small pictures of every style, forty texts to each scene."""
    number = 0
    for number in range(count):
        if number % 40 == 0:
            kind = (styles.crop, styles.flat, styles.street, styles.dashboard)[number // 40 % 4]
            sized = {"size": (480, 360)} if kind in (styles.street, styles.dashboard) else {}
            scene = kind(seed * 77 + number, **sized)
        rng = random.Random(seed * 31 + number)
        drawn = scene.draw(random_text(rng, scene.length))
        yield Reference(
            f"other-{number}", saved(drawn.image, "JPEG", quality=88), (Region(drawn.box, len(drawn.text)),)
        )


def measure(index: ImageIndex, other: ImageIndex, all: list[Subject], changes: list[Change]) -> Results:
    """Every subject under every change: against its own fixture, and against its neighbour alone."""
    results = Results()
    for subject in all:
        for change in changes:
            data = change.make(subject.drawn.image)
            place = change.place(subject.drawn.image.size)
            cell = subject.drawn.cell * min(place.scale)
            key = ("boxed" if subject.boxed else "no box", change.kind, _band(cell))
            tally = results.tallies[key]
            tally.queries += 1
            began = time.thread_time()
            found = index.find(data).found
            results.seconds.append(time.thread_time() - began)
            tally.wrong += any(hit.id != subject.id for hit in found)
            if own := next((hit for hit in found if hit.id == subject.id), None):
                tally.found += 1
                results.errors.append(
                    _error(own.placement.map(subject.drawn.box), place.map(subject.drawn.box))
                )
            else:
                results.misses.append(f"{subject.id} {change.name} (cell {cell:.1f})")
            tally.false += bool(other.find(data).found)
    return results


def strangers(index: ImageIndex, count: int, seed: int, results: Results) -> None:
    """Pictures that are in no fixture."""
    for reference in distractors(count, seed):
        assert isinstance(reference.source, bytes)
        results.unrelated += 1
        results.unrelated_false += bool(index.find(reference.source).found)


def _band(cell: float) -> str:
    return ">= 8 px" if cell >= 8 else "5-8 px" if cell >= 5 else "< 5 px"


def _error(mapped: Box, true: Box) -> float:
    return max(
        abs(mapped.xmin - true.xmin),
        abs(mapped.ymin - true.ymin),
        abs(mapped.xmax - true.xmax),
        abs(mapped.ymax - true.ymax),
    )


def show(results: Results) -> None:
    """The table."""
    print(
        f"{'fixture':8} {'change':12} {'cell':8} {'queries':>8} {'recall':>8} {'wrong':>6} {'neighbour':>10}"
    )
    for (boxed, kind, band), tally in sorted(results.tallies.items()):
        print(_row(boxed, kind, band, tally))
    for boxed in ("boxed", "no box"):
        for band in (">= 8 px", "5-8 px"):
            for title, hard in (("all but hard", False), (HARD, True)):
                some = [
                    tally
                    for (is_boxed, kind, its), tally in results.tallies.items()
                    if is_boxed == boxed and its == band and (kind == HARD) == hard
                ]
                if some:
                    total = Tally(
                        *(
                            sum(getattr(t, name) for t in some)
                            for name in ("queries", "found", "wrong", "false")
                        )
                    )
                    print(_row(boxed, title, band, total))
    errors = np.array(results.errors or [0.0])
    median, high = np.percentile(errors, (50, 99))
    print(f"box error, px: median {median:.1f}, 99th {high:.1f}, worst {errors.max():.1f}")
    print(f"unrelated pictures: {results.unrelated_false} false of {results.unrelated}")


def _row(boxed: str, kind: str, band: str, tally: Tally) -> str:
    share = 100 * tally.found / max(tally.queries, 1)
    return f"{boxed:8} {kind:12} {band:8} {tally.queries:8} {share:7.2f}% {tally.wrong:6} {tally.false:10}"


def speed(index: ImageIndex, few: ImageIndex, data: list[bytes]) -> None:
    """Unseen bytes on one core, at two sizes of index."""
    for title, one in (("all fixtures", index), ("10 fixtures", few)):
        seconds = []
        for query in data:
            began = time.thread_time()
            one.find(query)
            seconds.append(1000 * (time.thread_time() - began))
        print(
            f"query 1280x960, {title} ({len(one)}): median {np.median(seconds):.1f} ms, "
            f"95th {np.percentile(seconds, 95):.1f} ms"
        )


def _resident_kb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fixtures", type=int, default=10_000)
    parser.add_argument("--subjects", type=int, default=240)
    parser.add_argument("--strangers", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--misses", action="store_true", help="list every miss")
    wanted = parser.parse_args()
    all = list(subjects(wanted.subjects, wanted.seed, wanted.photos))
    others = list(distractors(max(0, wanted.fixtures - len(all)), wanted.seed))
    before, began = _resident_kb(), time.process_time()
    index = ImageIndex.build([*others, *(subject.own for subject in all)])
    each = 1000 * (time.process_time() - began) / len(index)
    kilobytes = (_resident_kb() - before) / len(index)
    print(f"index: {len(index)} fixtures, {each:.1f} ms and {kilobytes:.1f} KB each")
    other = index.updated([*others, *(subject.other for subject in all)])
    results = measure(index, other, all, list(CHANGES))
    strangers(index, wanted.strangers, wanted.seed + 1, results)
    show(results)
    streets = [subject for subject in all if subject.drawn.image.size == (1280, 960) and subject.boxed][:10]
    few = ImageIndex.build([subject.own for subject in streets])
    fresh = [saved(subject.drawn.image, quality=quality) for subject in streets for quality in (73, 78, 83)]
    speed(index, few, fresh)
    if wanted.misses:
        print("\n".join(results.misses), file=sys.stderr)


if __name__ == "__main__":
    main()
