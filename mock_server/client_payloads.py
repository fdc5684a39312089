"""What the Python client sends and gets beside JSON documents: paths, forms with pictures, exports, and errors."""

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode
from zipfile import BadZipFile, ZipFile, ZipInfo

from mock_server.errors import ConflictError, NotFoundError, RefusedError

Image = str | Path | bytes
"""A picture: the path of a local file, relative to the working directory, or its bytes."""
Part = tuple[str, str | None, bytes]
"""A part of a form: its name, its file name (None for a text) and its data."""

_FILE = "mock.yaml"
_DIRECTORIES = ("scenarios", "images", "bodies")
_MAX_FILES = 100_000
_MAX_BYTES = 8 * 1024**3


def error_of(status: int, content: bytes) -> Exception:
    """The error of a call that failed."""
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    problem = document if isinstance(document, dict) else {}
    # Without a problem document, another program has answered, or a proxy.
    detail = problem.get("detail") or f"the server answered {status} without the mock's description of an error"
    if kind := {404: NotFoundError, 409: ConflictError}.get(status):
        return kind(detail)
    return RefusedError(status, detail, problem.get("errors", []))


def path_of(*steps: str) -> str:
    """The path with these steps, such as a name or a key, which may have any characters."""
    return "".join(f"/{quote(step, safe='')}" for step in steps)


def key_query(key: str | None) -> str:
    """The query that limits a call to a key."""
    return "" if key is None else f"?{urlencode({'key': key})}"


def now_of(clock: Mapping[str, Any]) -> datetime:
    """The time in the document of the clock."""
    return datetime.fromisoformat(clock["now"])


def with_iso_times(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Filters of the journal, for JSON."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in filters.items()}


def read_image(image: Image) -> bytes:
    """The bytes of a picture."""
    return image if isinstance(image, bytes) else Path(image).read_bytes()


def without_pictures(document: Mapping[str, Any] | str) -> tuple[Mapping[str, Any] | str, list[Part]]:
    """The document with names instead of local pictures, and the pictures as parts with these names."""
    when = document.get("when") if isinstance(document, Mapping) else None
    if isinstance(document, str) or not isinstance(when, Mapping) or "image" not in when:
        return document, []
    images = when["image"] if isinstance(when["image"], list | tuple) else [when["image"]]
    # A text that is no path of a file is the name of a picture that the mock has.
    parts: list[Part] = [
        ("image", f"picture-{number}", read_image(image))
        for number, image in enumerate(images)
        if not isinstance(image, str) or Path(image).is_file()
    ]
    sent = {filename for _, filename, _ in parts}
    names = [f"picture-{number}" if f"picture-{number}" in sent else image for number, image in enumerate(images)]
    return {**document, "when": {**when, "image": names}}, parts


def multipart(parts: Sequence[Part]) -> tuple[bytes, str]:
    """The body and the content type of a form."""
    boundary = secrets.token_hex(16)
    lines: list[bytes] = []
    for name, filename, data in parts:
        file = "" if filename is None else f'; filename="{filename}"'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        lines += [head.encode(), data, b"\r\n"]
    return b"".join([*lines, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def write_fixtures(data: bytes, directory: Path, *, replace: bool) -> list[Path]:
    """Write the files of an export into a directory; return their paths.

    With `replace`, `mock.yaml` and the directories of fixtures that are there are replaced, and other files stay.
    Raises ConflictError if the directory has files and `replace` is off, and RefusedError for a file that is no export.
    Nothing has changed then.
    """
    _check_target(directory, replace)
    try:
        with ZipFile(BytesIO(data)) as archive:
            files = {_checked_path(member): archive.read(member) for member in _checked(archive)}
    # What zipfile raises for other bytes, for a compression that it does not know, and for data that is cut off.
    except (BadZipFile, NotImplementedError, EOFError) as error:
        raise RefusedError(200, f"the server did not send an export: {error}") from None
    for name in _DIRECTORIES:
        if (directory / name).is_dir():
            shutil.rmtree(directory / name)
    written = []
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(content)
        written.append(target)
    return written


def _check_target(directory: Path, replace: bool) -> None:
    """Raise ConflictError unless the directory is empty, or has fixtures that may be replaced."""
    names = {path.name for path in directory.iterdir()} if directory.exists() else set()
    if names and not replace:
        raise ConflictError(f"{directory} is not empty")
    if names and names.isdisjoint((_FILE, _DIRECTORIES[0])):
        raise ConflictError(f"{directory} contains neither {_FILE} nor {_DIRECTORIES[0]}/: nothing is replaced")
    if links := [name for name in (_FILE, *_DIRECTORIES) if (directory / name).is_symlink()]:
        raise ConflictError(f"{directory / links[0]} is a symbolic link")


def _checked(archive: ZipFile) -> list[ZipInfo]:
    """The files of an archive. Raises RefusedError if they are not those of a fixtures directory."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > _MAX_FILES or sum(member.file_size for member in members) > _MAX_BYTES:
        raise RefusedError(200, "the export is too large")
    if _FILE not in {member.filename for member in members}:
        raise RefusedError(200, f"the server did not send an export: it has no {_FILE}")
    return members


def _checked_path(member: ZipInfo) -> PurePosixPath:
    """The path of a file below the directory. Raises RefusedError for one that is not a path of a fixture."""
    name = member.filename
    path = PurePosixPath(name)
    is_fixture = name == _FILE or (path.parts[0] in _DIRECTORIES and len(path.parts) > 1)
    is_inside = not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name
    # A symbolic link could lead the files after it out of the directory.
    is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
    if not is_fixture or not is_inside or is_link:
        raise RefusedError(200, f"the export has a file in the wrong place: {name[:80]!r}")
    return path
