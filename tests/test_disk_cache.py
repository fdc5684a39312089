"""The cache on disk: it returns what was stored, or nothing; it never blocks, fails or returns something else."""

import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from mock_server import disk_cache
from mock_server.disk_cache import FILE_NAME, DiskCache, default_cache_directory

ENTRIES = {f"key {number}": bytes([number]) * 50 * number for number in range(1, 41)}

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions and file types")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A cache directory with entries."""
    with DiskCache(tmp_path / "cache") as cache:
        for key, value in ENTRIES.items():
            cache.put(key, value)
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """No cache takes long to be used or refused."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 10


def found(directory: Path | None) -> dict[str, bytes | None]:
    """What the cache returns for each stored key."""
    with DiskCache(directory) as cache:
        return {key: cache.get(key) for key in ENTRIES}


def is_unusable(directory: Path) -> bool:
    """Whether the cache returns nothing, also after a write."""
    with DiskCache(directory) as cache:
        cache.put("new", b"value")
    with DiskCache(directory) as cache:
        return {cache.get("new"), *(cache.get(key) for key in ENTRIES)} == {None}


def test_stored_values_are_returned(directory: Path) -> None:
    """Every value is returned to the version that stored it, and to no other."""
    assert found(directory) == ENTRIES
    with DiskCache(directory) as cache:
        cache.put("key 1", b"of version 2", "2")
        assert cache.get("unknown") is None
    with DiskCache(directory) as cache:
        assert (cache.get("key 1", "2"), cache.get("key 1")) == (b"of version 2", None)


def test_without_a_directory_there_are_no_entries() -> None:
    """The cache can be used without a place on disk."""
    with DiskCache(None) as cache:
        cache.put("key", b"value")
        assert cache.get("key") is None


def test_names_that_are_not_text(tmp_path: Path) -> None:
    """A key may hold the bytes of a file name."""
    with DiskCache(tmp_path) as cache:
        cache.put("a\udcff", b"value")
    with DiskCache(tmp_path) as cache:
        assert cache.get("a\udcff") == b"value"


@posix
def test_files_are_private(directory: Path) -> None:
    """Only the owner can read the directory and the file."""
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("bit", range(0, 8 * 20_000, 8 * 251 + 3))
def test_flipped_bit_gives_no_other_value(directory: Path, bit: int) -> None:
    """After damage anywhere in the file each key has its own value or none; the next use writes again."""
    file = directory / FILE_NAME
    data = bytearray(file.read_bytes())
    assert len(data) > 20_000
    data[bit // 8] ^= 1 << bit % 8
    file.write_bytes(bytes(data))

    after = found(directory)

    assert all(value in (None, ENTRIES[key]) for key, value in after.items())


@pytest.mark.parametrize("length", [1, 15, 16, 99, 100, 1000, 4096, 4097, 9000, 20_000])
def test_truncated_file(directory: Path, length: int) -> None:
    """A file that ends early gives right values or none."""
    file = directory / FILE_NAME
    os.truncate(file, length)

    assert all(value in (None, ENTRIES[key]) for key, value in found(directory).items())


@pytest.mark.parametrize("content", [b"", b"no database", b"\x80\x05}\x94.", b"SQLite format 3\0" + bytes(5000)])
def test_damaged_file_is_replaced(directory: Path, content: bytes) -> None:
    """A file that is not a database is replaced by an empty cache that works."""
    (directory / FILE_NAME).write_bytes(content)

    assert set(found(directory).values()) == {None}
    with DiskCache(directory) as cache:
        cache.put("new", b"value")
    with DiskCache(directory) as cache:
        assert cache.get("new") == b"value"


def test_foreign_database(directory: Path) -> None:
    """A database with a table of other columns is a cache without entries."""
    (directory / FILE_NAME).unlink()
    database = sqlite3.connect(directory / FILE_NAME)
    database.executescript("CREATE TABLE entries (a, b, c); INSERT INTO entries VALUES (1, 2, 3)")
    database.close()
    (directory / FILE_NAME).chmod(0o600)

    assert set(found(directory).values()) == {None}


def as_symlink(path: Path) -> None:
    path.rename(path.with_name("target"))
    path.symlink_to(path.with_name("target"))


def as_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def as_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_socket(path: Path) -> None:
    path.unlink()
    here = Path.cwd()
    # The path of a socket may have 108 bytes only.
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


def as_writable_file(path: Path) -> None:
    path.chmod(0o622)


@posix
@pytest.mark.parametrize("change", [as_symlink, as_fifo, as_directory, as_socket, as_writable_file])
def test_unsafe_file_is_not_used(directory: Path, change: Callable[[Path], None]) -> None:
    """Another kind of file, or one that others can write, is neither read nor written nor waited for."""
    change(directory / FILE_NAME)

    assert is_unusable(directory)


@posix
@pytest.mark.parametrize("ending", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("kind", ["fifo", "symlink"])
def test_unsafe_journal_is_not_used(directory: Path, ending: str, kind: str) -> None:
    """A database with an unsafe journal is not opened."""
    journal = directory / f"{FILE_NAME}{ending}"
    if kind == "fifo":
        os.mkfifo(journal)
    else:
        journal.symlink_to(directory / "elsewhere")

    assert is_unusable(directory)
    assert not (directory / "elsewhere").exists()


@posix
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777, 0o720])
def test_directory_that_others_can_write_is_not_used(directory: Path, mode: int) -> None:
    """In such a directory the file could come from anybody."""
    directory.chmod(mode)

    assert is_unusable(directory)


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["directory", "file"])
def test_files_of_another_user_are_not_used(directory: Path, what: str) -> None:
    """A directory or a file of another user is not trusted, even by root."""
    os.chown(directory if what == "directory" else directory / FILE_NAME, 12345, 12345)

    assert is_unusable(directory)


@posix
def test_another_owner_is_not_trusted(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for a process that runs as another user."""
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    assert is_unusable(directory)


@posix
def test_symbolic_link_to_a_directory_is_not_used(directory: Path, tmp_path: Path) -> None:
    """The directory itself must not be a link either."""
    (tmp_path / "link").symlink_to(directory)

    assert is_unusable(tmp_path / "link")
    assert found(directory) == ENTRIES


@posix
@pytest.mark.parametrize("kind", ["file", "fifo"])
def test_something_else_in_place_of_the_directory(tmp_path: Path, kind: str) -> None:
    """A file or FIFO of that name means no cache."""
    if kind == "file":
        (tmp_path / "cache").write_text("")
    else:
        os.mkfifo(tmp_path / "cache")

    assert is_unusable(tmp_path / "cache")
    assert is_unusable(tmp_path / "cache" / "below")


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root can write everywhere")
def test_read_only_directory(directory: Path) -> None:
    """A cache that cannot be written can still be read; a missing one is a cache without entries."""
    (directory / FILE_NAME).chmod(0o400)
    directory.chmod(0o500)
    with DiskCache(directory) as cache:
        cache.put("new", b"value")

    assert found(directory) == ENTRIES
    assert is_unusable(directory / "missing")
    directory.chmod(0o700)


@posix
def test_directory_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A read-only file system means no cache."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)

    assert is_unusable(tmp_path / "cache")


def test_cache_that_another_process_writes(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked database is waited for shortly, and is not deleted as if it were damaged."""
    monkeypatch.setattr(disk_cache, "_LOCK_SECONDS", 0.1)
    other = sqlite3.connect(directory / FILE_NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert set(found(directory).values()) == {None}
    other.execute("ROLLBACK")
    other.close()

    assert found(directory) == ENTRIES


def test_home_without_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a home directory there is no default place; with one it is the user's cache directory."""
    monkeypatch.setattr(disk_cache, "user_cache_path", lambda *names, **options: Path("~/.cache/x"))
    assert default_cache_directory() is None

    monkeypatch.undo()
    assert default_cache_directory() == user_cache_path("vehicle-ocr-mock", appauthor=False)
