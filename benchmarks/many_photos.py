"""`python -m benchmarks.many_photos --photos DIR --strangers DIR`: what an index of 10,000 photos costs.

Each fixture is a window of a photograph from `--photos`, mirrored, tinted and brightened by its seed, with a plate or a
VIN laid in. Sent are pictures of fixtures in other bytes, crops around their plates, and photographs
that no fixture shows. Times are processor times of one thread.
"""

import argparse
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

# One core for each search. It has to be set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image, ImageChops, ImageOps

from benchmarks.changes import saved
from benchmarks.corpus import Drawn, plate, quad, random_text
from mock_server.imaging.geometry import Box, Frame
from mock_server.imaging.index import ImageIndex, Reference, Region

_SIZES = ((1280, 960), (1280, 853), (1280, 720), (960, 1280), (1024, 768))
_CROP = 2.5  # plates


def photo(number: int, photos: Sequence[Path]) -> Drawn:
    """The picture of a number: a window of one of the photographs with a text laid in."""
    rng = random.Random(number)
    size = rng.choice(_SIZES)
    picture = _window(_decoded(photos[number % len(photos)]), size, rng)
    length = rng.choice([6, 7, 7, 8, 17])
    wide = (rng.uniform(0.09, 0.2) if length < 17 else rng.uniform(0.25, 0.6)) * size[0]
    high = wide / (rng.choice([2.0, 3.2, 4.2, 4.7]) if length < 17 else rng.uniform(9, 12))
    box = Frame(rng.uniform(0.04 * size[0], 0.96 * size[0] - wide), rng.uniform(0.3, 0.6) * size[1], wide, high)
    text = random_text(rng, length)
    _lay_in(picture, plate(text, round(wide * 1.5), round(high * 1.5), number, contrast=rng.randint(80, 210)), box, rng)
    grain = _grain(rng.randrange(8)).crop((0, 0, *size))
    picture = ImageChops.add(picture, grain, offset=-128)
    return Drawn(picture, text, Box(*(round(edge) for edge in (box.left, box.top, box.left + wide, box.top + high))))


@cache
def _decoded(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        return opened.convert("RGB")


@cache
def _grain(seed: int) -> Image.Image:
    """The noise of a camera around a middle grey, as large as the largest picture."""
    side = max(max(size) for size in _SIZES)
    noise = np.random.default_rng(seed).normal(128, 0.5 + seed / 3, (side, side, 1))
    return Image.fromarray(np.repeat(noise.round().astype(np.uint8), 3, axis=2))


def _window(whole: Image.Image, size: tuple[int, int], rng: random.Random) -> Image.Image:
    """A part of a photograph, mirrored or not, with other light."""
    scale = rng.uniform(0.35, 0.95) * min(whole.width / size[0], whole.height / size[1])
    width, height = scale * size[0], scale * size[1]
    left, top = rng.uniform(0, whole.width - width), rng.uniform(0, whole.height - height)
    picture = whole.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    gains = [rng.uniform(0.8, 1.15) for _ in range(3)]
    return picture.point([min(255, round(gain * level)) for gain in gains for level in range(256)])


def _lay_in(picture: Image.Image, label: Image.Image, box: Frame, rng: random.Random) -> None:
    """Paste a label at a box, in a light perspective."""
    margin = round(0.2 * box.height)
    left, top = int(box.left) - margin, int(box.top) - margin
    part = picture.crop((left, top, left + round(box.width) + 2 * margin, top + round(box.height) + 2 * margin))
    x, y = box.left - left, box.top - top
    corners = [(x, y), (x + box.width, y), (x + box.width, y + box.height), (x, y + box.height)]
    moves = [(rng.uniform(-0.08, 0.08) * box.height, rng.uniform(-0.08, 0.08) * box.height) for _ in corners]
    quad(part, label, [(cx + dx, cy + dy) for (cx, cy), (dx, dy) in zip(corners, moves, strict=True)])
    picture.paste(part, (left, top))


def write(number: int, photos: Sequence[Path], folder: Path) -> Reference:
    """The reference of a number; its picture is written unless it is there."""
    path, facts = folder / f"{number}.jpg", folder / f"{number}.txt"
    if not facts.exists():
        drawn = photo(number, photos)
        path.write_bytes(saved(drawn.image, quality=90))
        box = drawn.box
        facts.write_text(f"{box.xmin} {box.ymin} {box.xmax} {box.ymax} {len(drawn.text)}")
    *edges, characters = map(int, facts.read_text().split())
    return Reference(str(number), path, (Region(Box(*edges), characters),))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--strangers", type=Path, required=True, help="photographs that no fixture shows")
    parser.add_argument("--fixtures", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="where pictures and fingerprints are kept for another run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args()
    photos = sorted(wanted.photos.iterdir())
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.folder or Path(temporary)
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(wanted.jobs) as pool:
            make = partial(write, photos=photos, folder=folder / "pictures")
            references = list(pool.map(make, range(wanted.fixtures), chunksize=16))
        with ProcessPoolExecutor(1) as pool:
            pool.submit(_build_once, references, folder / "cache").result()
        # In a process that has decoded nothing: what a second start takes.
        index = _build(references, folder / "cache")
        step = max(1, len(references) // wanted.queries)
        _search(index, "fixtures in other bytes", _re_encoded(references[::step]))
        _search(index, f"crops of {_CROP} plates", _crops(references[::step]))
        _search(index, "photos that no fixture shows", _strangers(sorted(wanted.strangers.iterdir()), wanted.queries))


def _build_once(references: Sequence[Reference], cache: Path) -> None:
    _build(references, cache)


def _build(references: Sequence[Reference], cache: Path) -> ImageIndex:
    """Build an index and print what it takes."""
    before, began, clock = _resident(), time.process_time(), time.monotonic()
    index = ImageIndex.build(references, cache=cache)
    seconds, kilobytes = time.process_time() - began, _resident() - before
    print(
        f"index: {len(index)} fixtures in {time.monotonic() - clock:.1f} s, {1000 * seconds / len(index):.2f} ms each; "
        f"resident memory {_resident() / 1024:.0f} MB, grew by {kilobytes / len(index):.1f} KB each",
        flush=True,
    )
    return index


def _re_encoded(references: Sequence[Reference]) -> Iterator[tuple[str, bytes]]:
    for reference in references:
        yield reference.id, saved(_opened(reference), quality=75)


def _crops(references: Sequence[Reference]) -> Iterator[tuple[str, bytes]]:
    for reference in references:
        picture, box = _opened(reference), reference.regions[0].box
        around = round(box.width * (_CROP - 1) / 2)
        part = Box(box.xmin - around, box.ymin - around, box.xmax + around, box.ymax + around).clamped(*picture.size)
        yield reference.id, saved(picture.crop((part.xmin, part.ymin, part.xmax, part.ymax)), quality=82)


def _strangers(photos: Sequence[Path], count: int) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        rng = random.Random(-number)
        yield "", saved(_window(_decoded(photos[number % len(photos)]), _SIZES[0], rng), quality=82)


def _opened(reference: Reference) -> Image.Image:
    assert isinstance(reference.source, Path)
    with Image.open(reference.source) as opened:
        return opened.convert("RGB")


def _search(index: ImageIndex, title: str, queries: Iterable[tuple[str, bytes]]) -> None:
    """Search for pictures whose right answer is known, and print how many were found and what a search costs."""
    found = wrong = 0
    milliseconds = []
    for id, data in queries:
        began = time.thread_time()
        matches = index.find(data).matches
        milliseconds.append(1000 * (time.thread_time() - began))
        found += any(match.id == id for match in matches)
        wrong += any(match.id != id for match in matches)
    median, high = np.percentile(milliseconds, (50, 95))
    print(
        f"{title}: {found} of {len(milliseconds)} found, {wrong} wrong; median {median:.1f} ms, 95th {high:.1f} ms",
        flush=True,
    )


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() / 1024


if __name__ == "__main__":
    main()
