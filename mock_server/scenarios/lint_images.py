"""Checks of the pictures that scenarios name: readable, large enough for their boxes and texts, and different."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server import errors
from mock_server.core.account import Account
from mock_server.core.reading import Reading
from mock_server.disk_cache import Signature, signature_of
from mock_server.imaging.geometry import Box
from mock_server.scenarios.discovery import MAX_PICTURE_BYTES, Directory, outside, path_problem
from mock_server.scenarios.lint import AccountNames, are_same
from mock_server.scenarios.source import DocumentPath, ParsedScenario
from mock_server.suggest import quoted

if TYPE_CHECKING:
    from mock_server.imaging.index import ImageIndex

Size = tuple[int, int]
"""Width and height of the upright picture."""
PictureSizes = Mapping[str, tuple[Signature, Size]]
"""The pictures that can be read, by id."""


def check_pictures(
    directory: Directory, scenarios: Sequence[ParsedScenario], known: PictureSizes, mistakes: list[errors.Mistake]
) -> tuple[dict[str, Path], PictureSizes]:
    """The usable pictures by id, and their sizes; what is wrong with the others and with the boxes is a mistake.

    Pictures are checked by their headers. One that has not changed since it was `known` is not read again.
    """
    images: dict[str, Path] = {}
    sizes: dict[str, tuple[Signature, Size]] = {}
    unreadable: dict[str, errors.ImageError] = {}
    for one in scenarios:
        for number, (written, id) in enumerate(one.pictures):
            if id is None:
                mistakes.append(one.at_picture(number, *outside(written, "pictures")))
                continue
            if problem := path_problem(directory, id, written, "picture"):
                mistakes.append(one.at_picture(number, *problem))
                continue
            try:
                if id not in unreadable and id not in sizes:
                    sizes[id] = _size(directory.root / id, known.get(id))
            except errors.ImageError as error:
                unreadable[id] = error
            if id in unreadable:
                mistakes.append(unreadable_picture(one, number, unreadable[id]))
                continue
            images[id] = directory.root / id
            if number == 0:
                mistakes += _boxes_outside(one, sizes[id][1], written)
    return images, sizes


def _size(path: Path, known: tuple[Signature, Size] | None) -> tuple[Signature, Size]:
    """Signature and size of a picture. Raises ImageError."""
    try:
        facts = path.stat()
        signature = signature_of(facts)
        if known is not None and known[0] == signature:
            return known
        if facts.st_size > MAX_PICTURE_BYTES:
            raise errors.ImageError(f"{facts.st_size:,} bytes, at most {MAX_PICTURE_BYTES:,} are read")
        # Imported here: the image libraries load slowly, and a start with unchanged pictures does not need them.
        from mock_server.imaging.open_image import inspect

        header = inspect(path.read_bytes())
    except OSError as error:
        # Deleted in the meantime, or no permission.
        raise errors.ImageError((error.strerror or str(error)).lower()) from error
    return signature, (header.width, header.height)


def unreadable_picture(one: ParsedScenario, number: int, error: errors.ImageError) -> errors.Mistake:
    """The mistake of a picture that cannot be read; `number` is its position in `when.image`."""
    what, hint = _what_is_wrong(error)
    return one.at_picture(number, f"{quoted(one.pictures[number][0])} {what}", hint)


def _what_is_wrong(error: errors.ImageError) -> tuple[str, str]:
    match error:
        case errors.EmptyImageError():
            return "is empty", ""
        case errors.NotAnImageError():
            return "is no picture", ""
        case errors.UnsupportedImageError(format=format):
            hint = "install the extra: vehicle-ocr-mock[heif]" if format == "HEIF" else ""
            return f"is of a format that is not read here ({format})", hint
        case errors.TooManyPixelsError(pixels=pixels, limit=limit):
            return f"has {pixels:,} pixels; at most {limit:,} are read", ""
        case errors.TooComplexImageError(parts=parts, count=count, limit=limit):
            return f"has {count:,} {parts}; at most {limit:,} are read", ""
        case errors.TruncatedImageError():
            return "is damaged or ends early", ""
        case _:
            return f"cannot be read: {error}", ""


def _boxes_outside(one: ParsedScenario, size: Size, written: str) -> Iterator[errors.Mistake]:
    width, height = size
    for path, box in _boxes(one.scenario.reading):
        if box.xmax > width or box.ymax > height:
            corners = f"[{box.xmin}, {box.ymin}, {box.xmax}, {box.ymax}]"
            what = f"the box {corners} reaches out of {quoted(written)}, which has {width} x {height} pixels"
            yield one.source.mistake(path, what, warning=one.scenario.overlay)


def _boxes(reading: Reading) -> Iterator[tuple[DocumentPath, Box]]:
    """All boxes with their paths. A path has both "plate" and "plates": a source skips the one that is not written."""
    found: list[tuple[DocumentPath, Box | None]] = []
    for number, plate in enumerate(reading.plates):
        start: DocumentPath = ("reading", "plate", "plates", number)
        found += [
            ((*start, "box"), plate.box),
            ((*start, "vehicle", "box"), plate.vehicle.box if plate.vehicle else None),
        ]
        found += [((*start, "candidates"), candidate.box) for candidate in plate.candidates]
    if reading.vin:
        found.append((("reading", "vin", "box"), reading.vin.box))
        found += [(("reading", "vin", "candidates"), candidate.box) for candidate in reading.vin.candidates]
    return ((path, box) for path, box in found if box is not None)


def check_index(
    scenarios: Sequence[ParsedScenario], accounts: Sequence[Account], index: "ImageIndex"
) -> list[errors.Mistake]:
    """Pictures of different scenarios that look the same, and pictures whose text is too small."""
    users: dict[str, list[int]] = {}
    for position, one in enumerate(scenarios):
        for id in one.scenario.when.images:
            users.setdefault(id, []).append(position)
    return [*_collisions(scenarios, users, AccountNames(accounts), index), *_too_small(scenarios, users, index)]


def _collisions(
    scenarios: Sequence[ParsedScenario], users: Mapping[str, Sequence[int]], accounts: AccountNames, index: "ImageIndex"
) -> Iterator[errors.Mistake]:
    for collision in index.collisions():
        for a in users.get(collision.a, ()):
            for b in users.get(collision.b, ()):
                is_overlay = scenarios[a].scenario.overlay or scenarios[b].scenario.overlay
                if a != b and not is_overlay and _differ_in_pictures_only(scenarios[a], scenarios[b], accounts):
                    first, later = scenarios[min(a, b)], scenarios[max(a, b)]
                    number = later.position_of(collision.b if b > a else collision.a)
                    name = quoted(first.scenario.name)
                    what = f"{quoted(later.pictures[number][0])} looks like a picture of {name} ({first.place})"
                    hint = "give boxes around what differs, or a further condition"
                    yield later.at_picture(number, what, hint)


def _differ_in_pictures_only(one: ParsedScenario, other: ParsedScenario, accounts: AccountNames) -> bool:
    return are_same(replace(one.scenario.when, images=()), replace(other.scenario.when, images=()), accounts)


def _too_small(
    scenarios: Sequence[ParsedScenario], users: Mapping[str, Sequence[int]], index: "ImageIndex"
) -> Iterator[errors.Mistake]:
    """Warnings of texts that are small or faint."""
    for small in index.too_small():
        what = f"has only {small.character:.0f} pixels to a character"
        hint = "a picture that differs in one character may be taken for it"
        if small.is_certain:
            hint = "it matches unchanged only: no changed copy can be told from one that differs in a character"
        yield from _at_picture(scenarios, users, small.id, what, hint)
    for faint in index.too_faint():
        what = f"differs from its ground by only {faint.contrast:.0f} of 255 grey levels"
        hint = "check the box, or send the picture as it is: compression hides such a text"
        yield from _at_picture(scenarios, users, faint.id, what, hint)


def _at_picture(
    scenarios: Sequence[ParsedScenario], users: Mapping[str, Sequence[int]], id: str, what: str, hint: str
) -> Iterator[errors.Mistake]:
    """The warning about the text in a picture, at the first scenario that uses it."""
    for one in [scenarios[position] for position in users.get(id, ())[:1]]:
        number = one.position_of(id)
        yield one.at_picture(number, f"the text in {quoted(one.pictures[number][0])} {what}", hint, warning=True)
