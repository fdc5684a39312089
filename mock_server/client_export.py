"""A zip file of `GET /__admin/export`, written as a fixtures directory."""

import shutil
from io import BytesIO
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from mock_server.errors import ConflictError, RefusedError

_FILE = "mock.yaml"
_DIRECTORIES = ("scenarios", "images", "bodies")
_MAX_FILES = 100_000
_MAX_BYTES = 8 * 1024**3


def write_fixtures(data: bytes, directory: Path, *, replace: bool) -> list[Path]:
    """Write the files of an export into a directory; return their paths.

    With `replace`, `mock.yaml` and the directories of fixtures that are there are replaced, and other files stay.
    Raises ConflictError if the directory has files and `replace` is off, and RefusedError for a file that is no export.
    Nothing has changed then.
    """
    _check_target(directory, replace)
    try:
        with ZipFile(BytesIO(data)) as archive:
            files = {_path(member): archive.read(member) for member in _checked(archive)}
    # zipfile raises NotImplementedError for a compression that it does not know, EOFError for data that is cut off.
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


def _path(member: ZipInfo) -> PurePosixPath:
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
