"""`python -m benchmarks.matching`: how reliably and how fast pictures are matched.

Everything is drawn from seeds; nothing is downloaded. `--photos DIR` adds photographs from a directory as backgrounds.
Times are processor times of one thread.
"""

import argparse
import gc
import os
import random
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

# One core for each search. It has to be set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks import styles
from benchmarks.changes import CHANGES, Change, saved
from benchmarks.corpus import Drawn, Scene, hardly_differ, neighbour, random_text
from benchmarks.results import HARDLY_DIFFERENT, Results, show
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region

Style = Callable[[int], Scene]


@dataclass(frozen=True)
class Subject:
    """One scene: its picture, its own fixture, and a fixture that differs in one character."""

    id: str
    drawn: Drawn
    boxed: bool
    own: Reference
    other: Reference
    hardly_differs: bool


def subjects(count: int, seed: int, photos: Path | None, only: str | None = None) -> Iterator[Subject]:
    """`count` scenes of all styles, half of them with a declared box; `only`: those of one style, or one of them."""
    kinds: list[Style] = [*styles.TUNING, *styles.HELD_OUT]
    for number in range(count):
        rng = random.Random(seed * 1_000_003 + number)
        scene = _scene(kinds, number, seed, photos)
        id = f"{scene.style}-{number}"
        if only not in (None, scene.style, id):
            continue
        text = random_text(rng, scene.length)
        own, other = scene.draw(text), scene.draw(neighbour(text, rng, hard=number % 3 != 0))
        boxed = number // (len(kinds) + 1) % 2 == 0
        format = ("JPEG", {"quality": 92}) if number % 2 else ("PNG", {})
        references = [
            Reference(
                name, saved(drawn.image, format[0], **format[1]), (Region(drawn.box, len(drawn.text)),) if boxed else ()
            )
            for name, drawn in ((id, own), (f"{id}-neighbour", other))
        ]
        yield Subject(id, own, boxed, references[0], references[1], hardly_differ(own, other))


def _scene(kinds: Sequence[Style], number: int, seed: int, photos: Path | None) -> Scene:
    place = number % (len(kinds) + 1)
    if place == len(kinds):
        return styles.photograph(seed + number, photos) if photos else styles.lines(seed + number)
    return kinds[place](seed + number)


def distractors(count: int, seed: int) -> Iterator[Reference]:
    """Further fixtures: small pictures in four styles, forty texts for each scene."""
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
    """Search for every subject under every change: with its own fixture in the index, and with its neighbour only."""
    results = Results()
    for subject in all:
        for change in changes:
            data = change.make(subject.drawn.image)
            place = change.place(subject.drawn.image.size)
            cell = subject.drawn.cell * min(place.scale)
            band = HARDLY_DIFFERENT if subject.hardly_differs else _band(cell)
            key = ("boxed" if subject.boxed else "no box", change.kind, band)
            tally = results.tallies[key]
            tally.queries += 1
            began = time.thread_time()
            found = index.find(data).matches
            results.seconds.append(time.thread_time() - began)
            tally.wrong += any(hit.id != subject.id for hit in found)
            results.misses += [
                f"WRONG {hit.id} for {subject.id} {change.name}" for hit in found if hit.id != subject.id
            ]
            if own := next((hit for hit in found if hit.id == subject.id), None):
                tally.found += 1
                results.errors.append(_error(own.placement.map(subject.drawn.box), place.map(subject.drawn.box)))
            else:
                results.misses.append(f"{subject.id} {change.name} (cell {cell:.1f})")
            neighbours = other.find(data).matches
            tally.false += bool(neighbours)
            results.misses += [f"FALSE {hit.id} for {subject.id} {change.name} (cell {cell:.1f})" for hit in neighbours]
    return results


def strangers(index: ImageIndex, references: Iterable[Reference]) -> Results:
    """Search for pictures that have no fixture."""
    results = Results()
    for reference in references:
        assert isinstance(reference.source, bytes)
        results.unrelated += 1
        results.unrelated_false += bool(index.find(reference.source).matches)
    return results


@dataclass(frozen=True)
class Setting:
    """What every process works with. Processes are forked, so it need not be sent to them."""

    index: ImageIndex
    other: ImageIndex
    subjects: list[Subject]
    strangers: list[Reference]


def in_parallel(setting: Setting, jobs: int) -> Results:
    """All searches, on `jobs` processes; progress goes to stderr."""
    results = Results()
    shares = 4 * len(setting.subjects)
    with ProcessPoolExecutor(jobs, get_context("fork"), _set_setting, (setting,)) as pool:
        for number, share in enumerate(pool.map(partial(_share, of=shares), range(shares)), 1):
            results.add(share)
            print(f"\r{number} of {shares} shares", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


_setting: list[Setting] = []
"""The setting of a worker process."""


def _set_setting(setting: Setting) -> None:
    _setting.append(setting)


def _share(number: int, of: int) -> Results:
    setting = _setting[0]
    subject = setting.subjects[number // 4 : number // 4 + 1]
    results = measure(setting.index, setting.other, subject, list(CHANGES[number % 4 :: 4]))
    results.add(strangers(setting.index, setting.strangers[number::of]))
    return results


def _band(cell: float) -> str:
    return ">= 8 px" if cell >= 8 else "5-8 px" if cell >= 5 else "< 5 px"


def _error(mapped: Box, true: Box) -> float:
    return max(
        abs(mapped.xmin - true.xmin),
        abs(mapped.ymin - true.ymin),
        abs(mapped.xmax - true.xmax),
        abs(mapped.ymax - true.ymax),
    )


def speed(index: ImageIndex, few: ImageIndex, data: list[bytes]) -> None:
    """Time searches of unseen bytes on one core, in a large and in a small index."""
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


def _stored_kb(references: list[Reference]) -> float:
    """Memory that an index holds per fixture, in KB, without what decoding leaves in the allocator."""
    gc.collect()
    tracemalloc.start()
    index = ImageIndex.build(references)
    gc.collect()
    stored = tracemalloc.get_traced_memory()[0] / 1024 / len(index)
    tracemalloc.stop()
    return stored


def _resident_kb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fixtures", type=int, default=10_000)
    parser.add_argument("--subjects", type=int, default=460)
    parser.add_argument("--strangers", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", metavar="STYLE", help="one style of subjects, or one subject: street, lines-172")
    parser.add_argument("--misses", action="store_true", help="list every miss")
    wanted = parser.parse_args()
    all = list(subjects(wanted.subjects, wanted.seed, wanted.photos, wanted.only))
    others = list(distractors(max(0, wanted.fixtures - len(all)), wanted.seed))
    before, began = _resident_kb(), time.process_time()
    index = ImageIndex.build([*others, *(subject.own for subject in all)])
    each = 1000 * (time.process_time() - began) / len(index)
    kilobytes = (_resident_kb() - before) / len(index)
    print(f"index: {len(index)} fixtures, {each:.1f} ms each; resident memory grew by {kilobytes:.1f} KB each")
    print(f"memory kept: {_stored_kb(others[:500]):.1f} KB a fixture")
    other = index.updated([*others, *(subject.other for subject in all)])
    unrelated = list(distractors(wanted.strangers, wanted.seed + 1))
    results = in_parallel(Setting(index, other, all, unrelated), wanted.jobs)
    show(results)
    streets = [subject for subject in all if subject.drawn.image.size == (1280, 960) and subject.boxed][:10]
    few = ImageIndex.build([subject.own for subject in streets])
    fresh = [saved(subject.drawn.image, quality=quality) for subject in streets for quality in (73, 78, 83)]
    if fresh:
        speed(index, few, fresh)
    if wanted.misses:
        print("\n".join(results.misses), file=sys.stderr)


if __name__ == "__main__":
    main()
