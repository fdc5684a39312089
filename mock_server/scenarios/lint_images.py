"""Checks of the pictures of a set: they exist, they can be read, and the boxes lie inside them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

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
from mock_server.scenarios.discovery import MAX_PICTURE_BYTES, Directory
from mock_server.scenarios.parse_results import ParsedScenario
from mock_server.scenarios.source import DocumentPath
from mock_server.suggest import quoted, suggest

PictureSignature = tuple[int, int]
"""Modification time (ns) and size of a picture."""
Size = tuple[int, int]
"""Width and height of the upright picture."""


class PictureChecks:
    """Checks pictures by their headers; a picture that has not changed is not read again.

    `known` are the results of an earlier run.
    """

    def __init__(self, known: Mapping[str, tuple[PictureSignature, Size]]) -> None:
        self._sizes: dict[str, tuple[PictureSignature, Size | ImageError]] = dict(known)

    def signatures(self) -> Iterable[tuple[str, PictureSignature]]:
        """The signatures of the checked pictures, by path."""
        return ((path, signature) for path, (signature, _) in self._sizes.items())

    def sizes(self) -> dict[str, tuple[PictureSignature, Size]]:
        """The signatures and sizes of the checked pictures that can be read, by path."""
        return {
            path: (signature, size)
            for path, (signature, size) in self._sizes.items()
            if not isinstance(size, ImageError)
        }

    def check(self, directory: Directory, scenarios: Sequence[ParsedScenario]) -> tuple[dict[str, Path], list[Mistake]]:
        """The usable pictures by id, and what is wrong with the others and with the boxes."""
        images: dict[str, Path] = {}
        mistakes: list[Mistake] = []
        known, self._sizes = self._sizes, {}
        for one in scenarios:
            for number, (written, id) in enumerate(one.pictures):
                path: DocumentPath = ("when", "image", number)
                if id is None:
                    what = f"{quoted(written)} lies outside the fixtures directory"
                    mistakes.append(one.source.mistake(path, what, "pictures are kept inside it"))
                    continue
                if problem := _path_problem(directory, id, written):
                    mistakes.append(one.source.mistake(path, *problem))
                    continue
                size = self._size(directory.root / id, known)
                if isinstance(size, ImageError):
                    mistakes.append(unreadable_picture(one, number, size))
                    continue
                images[id] = directory.root / id
                if number == 0:
                    mistakes += _boxes_outside(one, size, written)
        return images, mistakes

    def _size(self, path: Path, known: Mapping[str, tuple[PictureSignature, Size | ImageError]]) -> Size | ImageError:
        name = str(path)
        if name not in self._sizes:
            try:
                facts = path.stat()
                signature = (facts.st_mtime_ns, facts.st_size)
                before = known.get(name)
                unchanged = before is not None and before[0] == signature
                self._sizes[name] = before if before and unchanged else (signature, _inspect(path, facts.st_size))
            except OSError as error:
                # Deleted in the meantime, or no permission.
                return ImageError((error.strerror or str(error)).lower())
        return self._sizes[name][1]


def _inspect(path: Path, size: int) -> Size | ImageError:
    if size > MAX_PICTURE_BYTES:
        return ImageError(f"{size:,} bytes, at most {MAX_PICTURE_BYTES:,} are read")
    # Imported here: the image libraries load slowly, and a start with unchanged pictures does not need them.
    from mock_server.imaging.decode import inspect

    try:
        header = inspect(path.read_bytes())
    except ImageError as error:
        return error
    return header.width, header.height


def unreadable_picture(one: ParsedScenario, number: int, error: ImageError) -> Mistake:
    """The mistake of a picture that cannot be read; `number` is its position in `when.image`."""
    what, hint = _what_is_wrong(error)
    return one.source.mistake(("when", "image", number), f"{quoted(one.pictures[number][0])} {what}", hint)


def _path_problem(directory: Directory, id: str, written: str) -> tuple[str, str] | None:
    """What is wrong with the path of a picture, and a hint."""
    try:
        place = directory.root / id
        if not directory.contains(place):
            return f"{quoted(written)} leads out of the fixtures directory", "it goes through a symbolic link"
        if place.is_dir():
            return f"{quoted(written)} is a directory, not a picture", ""
        if not place.is_file():
            hint = 'write "/" between the parts of a path' if "\\" in written else _nearest(place.parent, written)
            return f"there is no picture {quoted(written)}", hint
    except PermissionError:
        return f"{quoted(written)} cannot be read: permission denied", ""
    except (OSError, ValueError):
        return "no file can have this name", ""
    return None


def _nearest(folder: Path, written: str) -> str:
    """A hint with the file that was probably meant, or with some files of the folder."""
    if not folder.is_dir():
        return f"there is no directory {quoted(PurePosixPath(written).parent)}"
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    if not names:
        return "that directory is empty"
    hint = suggest(PurePosixPath(written).name, names)
    more = ", …" if len(names) > 5 else ""
    return hint if hint.startswith("did you") else f"found there: {', '.join(names[:5])}{more}"


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


def _boxes_outside(one: ParsedScenario, size: Size, written: str) -> Iterator[Mistake]:
    width, height = size
    for path, box in _boxes(one.scenario.reading):
        if box.xmax > width or box.ymax > height:
            corners = f"[{box.xmin}, {box.ymin}, {box.xmax}, {box.ymax}]"
            what = f"the box {corners} reaches out of {quoted(written)}, which has {width} x {height} pixels"
            yield one.source.mistake(path, what)


def _boxes(reading: Reading) -> Iterator[tuple[DocumentPath, Box]]:
    """All boxes with their paths. A path has both "plate" and "plates": a source skips the one that is not written."""
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
