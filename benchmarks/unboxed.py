"""`python -m benchmarks.unboxed --photos DIR`: photographs with a small plate, of which no box is declared.

Each is searched under everyday changes and with captions over it: with its own fixture in the index, and with only its
neighbour, in which one character of the picture itself is covered by another one. Limits were set on the photographs of
`--half tune`; the figures of `docs/matching.md` are those of the other half. `--boxed` declares the boxes.
"""

import argparse
import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

# One core for each search. It has to be set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from PIL import Image, ImageFilter

from benchmarks import styles
from benchmarks.changes import CHANGES, saved
from benchmarks.corpus import Drawn, hardly_differ, random_text
from benchmarks.daily_changes import DAILY
from benchmarks.overlay_styles import OVERLAYS, with_overlay
from benchmarks.results import HARDLY_DIFFERENT, Tally
from mock_server.imaging.index import ImageIndex, Reference, Region

_PLAIN = ("jpeg 80", "jpeg 60", "webp 75", "resize 0.71", "resize 1.3", "brighter 1.2", "messenger 1600", "noise 4")
_OVERLAYS = ("timestamp", "dash-cam bar", "CCTV caption")
# The characters of a plate stand in this share of its width, and nine tenths of its height.
_TEXT_SHARE = 0.9


@dataclass(frozen=True)
class Subject:
    """A photograph with a plate, its fixture and that of its neighbour."""

    drawn: Drawn
    own: Reference
    other: Reference
    hardly_differs: bool


def with_moved_character(drawn: Drawn, rng: random.Random) -> Drawn:
    """The picture with one character of its plate covered by another character of it, pixel by pixel."""
    count, box = len(drawn.text), drawn.box
    cell = _TEXT_SHARE * box.width / count
    pairs = [(a, b) for a in range(count) for b in range(count) if drawn.text[a] != drawn.text[b]]
    source, target = rng.choice(pairs)
    lefts = [box.xmin + (1 - _TEXT_SHARE) / 2 * box.width + cell * place for place in (source, target)]
    top, bottom = box.ymin + round(0.12 * box.height), box.ymax - round(0.12 * box.height)
    character = drawn.image.crop((round(lefts[0]), top, round(lefts[0] + cell), bottom))
    edge = max(1, round(0.06 * cell))
    mask = Image.new("L", character.size, 0)
    mask.paste(255, (edge, edge, mask.width - edge, mask.height - edge))
    changed = drawn.image.copy()
    changed.paste(character, (round(lefts[1]), top), mask.filter(ImageFilter.GaussianBlur(edge / 2)))
    text = f"{drawn.text[:target]}{drawn.text[source]}{drawn.text[target + 1 :]}"
    return Drawn(changed, text, box)


def subject(number: int, photos: Path, *, boxed: bool) -> Subject:
    """The subject of this number; the same arguments give the same pixels."""
    rng = random.Random(number)
    scene = styles.snapshot(number, sorted(photos.iterdir()))
    drawn = scene.draw(random_text(rng, scene.length))
    regions = (Region(drawn.box, len(drawn.text)),) if boxed else ()
    other = with_moved_character(drawn, rng)
    references = [
        Reference(f"{name}-{number}", saved(one.image, quality=92), regions)
        for name, one in (("own", drawn), ("neighbour", other))
    ]
    return Subject(drawn, references[0], references[1], hardly_differ(drawn, other))


def sent_pictures(drawn: Drawn, seed: int) -> Iterator[tuple[str, str, bytes]]:
    """What is sent: kind of change, its name, and the bytes."""
    for change in CHANGES:
        if change.name in _PLAIN or change.kind == "crop":
            yield "changed", change.name, change.make(drawn.image)
    for daily in DAILY:
        if daily.name in _OVERLAYS:
            yield "overlay", daily.name, daily.make(drawn.image, drawn.box).data
    for name in OVERLAYS:
        yield "other overlay", name, with_overlay(drawn, name, seed)


def measure(number: int, make: Callable[[int], Subject]) -> tuple[dict[tuple[str, str], Tally], list[str]]:
    """Search for a subject under every change."""
    one = make(number)
    own, other = (ImageIndex.build([reference], workers=1) for reference in (one.own, one.other))
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    failures = []
    for kind, name, data in sent_pictures(one.drawn, number):
        is_found, is_false = bool(own.find(data).matches), bool(other.find(data).matches)
        tally = tallies[(HARDLY_DIFFERENT if one.hardly_differs else kind), name]
        tally.queries += 1
        tally.found += is_found
        tally.false += is_false
        failures += [f"MISS {one.own.id} {name}"] * (not is_found) + [f"FALSE {one.other.id} {name}"] * is_false
    return dict(tallies), failures


@dataclass(frozen=True)
class _Maker:
    """Makes subjects in a worker process."""

    photos: Path
    boxed: bool

    def __call__(self, number: int) -> tuple[dict[tuple[str, str], Tally], list[str]]:
        return measure(number, lambda number: subject(number, self.photos, boxed=self.boxed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--subjects", type=int, default=40)
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--boxed", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--misses", action="store_true", help="list every miss and every neighbour found")
    wanted = parser.parse_args()
    # Photographs alternate between the halves.
    numbers = [2 * number + (wanted.half == "report") for number in range(wanted.subjects)]
    totals: dict[tuple[str, str], Tally] = defaultdict(Tally)
    with ProcessPoolExecutor(wanted.jobs, get_context("fork")) as pool:
        for tallies, failures in pool.map(_Maker(wanted.photos, wanted.boxed), numbers):
            for (kind, name), tally in tallies.items():
                for key in ((kind, name), (kind, "all")):
                    totals[key].queries += tally.queries
                    totals[key].found += tally.found
                    totals[key].false += tally.false
            for line in failures if wanted.misses else ():
                print(line)
    print(f"{'change':40} {'queries':>8} {'found':>8} {'neighbour':>10}")
    for (kind, name), tally in sorted(totals.items()):
        share = 100 * tally.found / tally.queries
        print(f"{kind + ', ' + name:40} {tally.queries:8} {share:7.1f}% {tally.false:10}")


if __name__ == "__main__":
    main()
