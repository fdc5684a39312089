"""The pictures of a set: whether they are there, are pictures, and hold the boxes said to be in them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mock_server.core.model import Reading
from mock_server.errors import (
    EmptyImageError,
    ImageError,
    Mistake,
    NotAnImageError,
    TooManyPixelsError,
    TruncatedImageError,
    UnsupportedImageError,
)
from mock_server.imaging.geometry import Box
from mock_server.scenarios.discovery import Directory
from mock_server.scenarios.image_paths import path_issue
from mock_server.scenarios.issue import Issue
from mock_server.scenarios.issue import Path as DocumentPath
from mock_server.scenarios.parse_results import ParsedScenario
from mock_server.suggest import quoted

_Signature = tuple[int, int]
_Size = tuple[int, int]
"""Width and height of a picture as it is shown."""


@dataclass(slots=True)
class PictureChecks:
    """Checks pictures by their headers; those that have not changed are not read again."""

    _sizes: dict[str, tuple[_Signature, _Size | ImageError]] = field(default_factory=dict)

    def signatures(self) -> Iterable[tuple[str, _Signature]]:
        """What tells whether one of the pictures that were checked has changed."""
        return ((path, signature) for path, (signature, _) in self._sizes.items())

    def sizes(self) -> dict[str, tuple[_Signature, _Size]]:
        """The sizes of the pictures that were checked and are well, by path."""
        return {
            path: (signature, size)
            for path, (signature, size) in self._sizes.items()
            if not isinstance(size, ImageError)
        }

    def recall(self, sizes: Mapping[str, tuple[_Signature, _Size]]) -> None:
        """Take what an earlier run has read, so that it is not read again."""
        self._sizes = dict(sizes)

    def check(
        self, directory: Directory, scenarios: Sequence[ParsedScenario]
    ) -> tuple[dict[str, Path], list[Mistake]]:
        """Where each usable picture is, by id, and what is wrong with the others and with the boxes."""
        images: dict[str, Path] = {}
        mistakes: list[Mistake] = []
        known, self._sizes = self._sizes, {}
        for one in scenarios:
            for number, (written, id) in enumerate(one.pictures):
                path: DocumentPath = ("when", "image", number)
                issue = path_issue(directory, id, written, path)
                if issue is not None or id is None:
                    mistakes += [one.source.mistake(issue)] if issue else []
                    continue
                size = self._size(directory.root / id, known)
                if isinstance(size, ImageError):
                    what, hint = _what_is_wrong(size)
                    mistakes.append(one.source.mistake(Issue(path, f"{quoted(written)} {what}", hint)))
                    continue
                images[id] = directory.root / id
                if number == 0:
                    mistakes += _boxes_outside(one, size, written)
        return images, mistakes

    def _size(
        self, path: Path, known: Mapping[str, tuple[_Signature, _Size | ImageError]]
    ) -> _Size | ImageError:
        name = str(path)
        if name not in self._sizes:
            try:
                facts = path.stat()
                signature = (facts.st_mtime_ns, facts.st_size)
                before = known.get(name)
                unchanged = before is not None and before[0] == signature
                self._sizes[name] = before if before and unchanged else (signature, _inspected(path))
            except OSError as error:
                # Not there any more, or not for us to read.
                return ImageError((error.strerror or str(error)).lower())
        return self._sizes[name][1]


def _inspected(path: Path) -> _Size | ImageError:
    # What decodes pictures takes its time to load: a start that finds all of them unchanged needs none of it.
    from mock_server.imaging.decode import inspect

    try:
        header = inspect(path.read_bytes())
    except ImageError as error:
        return error
    return header.width, header.height


def undecodable(one: ParsedScenario, id: str, error: ImageError) -> Mistake:
    """The mistake of a picture whose header is well and whose pixels are not."""
    number = next(number for number, (_, picture) in enumerate(one.pictures) if picture == id)
    what, hint = _what_is_wrong(error)
    return one.source.mistake(
        Issue(("when", "image", number), f"{quoted(one.pictures[number][0])} {what}", hint)
    )


def _what_is_wrong(error: ImageError) -> tuple[str, str]:
    if isinstance(error, EmptyImageError):
        return "is empty", ""
    if isinstance(error, NotAnImageError):
        return "is no picture", ""
    if isinstance(error, UnsupportedImageError):
        hint = "install the extra: vehicle-ocr-mock[heif]" if error.format == "HEIF" else ""
        return f"is of a format that is not read here ({error.format})", hint
    if isinstance(error, TooManyPixelsError):
        return f"has {error.pixels:,} pixels; at most {error.limit:,} are read", ""
    if isinstance(error, TruncatedImageError):
        return "is damaged or ends early", ""
    return f"cannot be read: {error}", ""


def _boxes_outside(one: ParsedScenario, size: _Size, written: str) -> Iterator[Mistake]:
    width, height = size
    for path, box in _boxes(one.scenario.reading):
        if box.xmax > width or box.ymax > height:
            corners = f"[{box.xmin}, {box.ymin}, {box.xmax}, {box.ymax}]"
            what = f"the box {corners} reaches out of {quoted(written)}, which has {width} x {height} pixels"
            yield one.source.mistake(Issue(path, what))


def _boxes(reading: Reading) -> Iterator[tuple[DocumentPath, Box]]:
    """All boxes with their paths; steps that are not there, "plate" or "plates", will be skipped."""
    for number, plate in enumerate(reading.plates):
        start: DocumentPath = ("reading", "plate", "plates", number)
        yield from _with_path((*start, "box"), plate.box)
        yield from _with_path((*start, "vehicle", "box"), plate.vehicle.box if plate.vehicle else None)
        for candidate in plate.candidates:
            yield from _with_path((*start, "candidates"), candidate.box)
    if reading.vin:
        yield from _with_path(("reading", "vin", "box"), reading.vin.box)
        for candidate in reading.vin.candidates:
            yield from _with_path(("reading", "vin", "candidates"), candidate.box)


def _with_path(path: DocumentPath, box: Box | None) -> Iterator[tuple[DocumentPath, Box]]:
    if box is not None:
        yield path, box
