"""`python -m benchmarks.unrelated DIRECTORY ...`: pictures that no fixture shows, and crops of them; none may match.

The index holds drawn scenes and labels, half of them with a declared box, and with `--photos` photographs with a plate
laid in. The pictures of each directory are counted as one source, whole pictures and crops apart.
"""

import argparse
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

# One core for each search. It has to be set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from PIL import Image, UnidentifiedImageError

from benchmarks import daily
from benchmarks.changes import saved
from benchmarks.matching import distractors
from mock_server.imaging.index import ImageIndex, Reference

_LONGEST = 1600
_LEAST = 120
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif"}


def fixtures(count: int, photos: Path | None) -> Iterator[Reference]:
    """Drawn fixtures and those of the daily benchmark, every other one without a box."""
    names = sorted(photos.iterdir()) if photos else []
    references = [daily.subject(number, 10, names).own for number in range(40)]
    for number, one in enumerate([*references, *distractors(count - len(references), 2)]):
        yield Reference(one.id, one.source, one.regions if number % 2 else ())


def pictures(path: Path, crops: int) -> Iterator[tuple[str, bytes]]:
    """A picture, and crops of it at random places and scales, each re-encoded; nothing of what cannot be read."""
    try:
        picture = Image.open(path).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError):
        return
    picture.thumbnail((_LONGEST, _LONGEST))
    if min(picture.size) < _LEAST:
        return
    yield "whole", saved(picture, quality=90)
    rng = random.Random(path.name)
    for _ in range(crops):
        width, height = (round(side * rng.uniform(0.2, 0.6)) for side in picture.size)
        if min(width, height) < _LEAST:
            continue
        left, top = rng.randint(0, picture.width - width), rng.randint(0, picture.height - height)
        part = picture.crop((left, top, left + width, top + height))
        factor = rng.uniform(0.7, 2.0)
        yield "crop", saved(part.resize((round(width * factor), round(height * factor))), quality=rng.randint(60, 95))


def search(path: Path, crops: int, until: float) -> tuple[Counter[tuple[str, str]], list[str]]:
    """How many pictures were searched and matched, by kind, and which matched."""
    counts: Counter[tuple[str, str]] = Counter()
    matched = []
    for kind, data in pictures(path, crops):
        if time.monotonic() > until:
            break
        counts[kind, "searched"] += 1
        if matches := _index[0].find(data).matches:
            counts[kind, "matched"] += 1
            matched += [f"{path.name} ({kind}) matched {match.id}, score {match.score:.2f}" for match in matches]
    return counts, matched


_index: list[ImageIndex] = []
"""What the worker processes, which are forked, search in."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directories", type=Path, nargs="+", metavar="DIRECTORY")
    parser.add_argument("--fixtures", type=int, default=1000)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--crops", type=int, default=20, help="of each picture [default: 20]")
    parser.add_argument("--seconds", type=float, default=3600.0, help="of each directory, at most [default: 3600]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args()
    _index.append(ImageIndex.build(fixtures(wanted.fixtures, wanted.photos)))
    for directory in wanted.directories:
        paths = sorted(path for path in directory.rglob("*") if path.suffix.lower() in _SUFFIXES)
        random.Random(1).shuffle(paths)
        until = time.monotonic() + wanted.seconds
        total: Counter[tuple[str, str]] = Counter()
        with ProcessPoolExecutor(wanted.jobs, get_context("fork")) as pool:
            for counts, matched in pool.map(partial(search, crops=wanted.crops, until=until), paths, chunksize=4):
                total += counts
                for line in matched:
                    print(line, flush=True)
        print(f"{directory}: {total['whole', 'matched']} of {total['whole', 'searched']} pictures matched, ", end="")
        print(f"{total['crop', 'matched']} of {total['crop', 'searched']} crops", flush=True)


if __name__ == "__main__":
    main()
