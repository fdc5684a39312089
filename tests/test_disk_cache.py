"""The cache on disk: it returns what was stored, or nothing; it never blocks, fails or returns something else."""

import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from mock_server import disk_cache
from mock_server.disk_cache import DiskCache, default_cache_directory

ENTRIES = {f"key {number}": bytes([number]) * 50 * number for number in range(1, 41)}

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions and file types")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A cache directory with entries."""
    cache = DiskCache(tmp_path / "cache")
    for key, value in ENTRIES.items():
        cache.put(key, value)
    return tmp_path / "cache"


def found(directory: Path | None) -> dict[str, bytes | None]:
    """What the cache returns for each stored key."""
    cache = DiskCache(directory)
    return {key: cache.get(key) for key in ENTRIES}


def file_of(directory: Path) -> Path:
    """The file of the longest entry, the last key."""
    return max(directory.iterdir(), key=lambda file: file.stat().st_size)


OTHERS = {key: ENTRIES[key] for key in list(ENTRIES)[:-1]}
"""The entries in the other files."""
WITHOUT_ONE: dict[str, bytes | None] = {**OTHERS, "key 40": None}


def is_unusable(directory: Path) -> bool:
    """Whether the cache returns nothing, also after a write."""
    cache = DiskCache(directory)
    cache.put("new", b"value")
    cache = DiskCache(directory)
    return {cache.get("new"), *(cache.get(key) for key in ENTRIES)} == {None}


def test_stored_values_are_returned(directory: Path) -> None:
    """Every value is returned to the version that stored it, and to no other."""
    assert found(directory) == ENTRIES
    cache = DiskCache(directory)
    cache.put("key 1", b"of version 2", "2")
    assert cache.get("unknown") is None
    cache = DiskCache(directory)
    assert (cache.get("key 1", "2"), cache.get("key 1")) == (b"of version 2", None)


def test_without_a_directory_there_are_no_entries() -> None:
    """The cache can be used without a place on disk."""
    cache = DiskCache(None)
    cache.put("key", b"value")
    assert cache.get("key") is None


def test_names_that_are_not_text(tmp_path: Path) -> None:
    """A key may hold the bytes of a file name."""
    cache = DiskCache(tmp_path)
    cache.put("a\udcff", b"value")
    cache = DiskCache(tmp_path)
    assert cache.get("a\udcff") == b"value"


@posix
def test_files_are_private(directory: Path) -> None:
    """Only the owner can read the directory and the files."""
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in directory.iterdir()} == {0o600}


def test_flipped_bits_give_no_other_value(directory: Path) -> None:
    """An entry with damage anywhere in its file is a miss, and can be stored again: 1,008 places."""
    file, cache = file_of(directory), DiskCache(directory)
    intact = file.read_bytes()
    for bit in range(0, 8 * len(intact), 16):
        data = bytearray(intact)
        data[bit // 8] ^= 1 << (bit // 16) % 8
        file.write_bytes(data)

        assert cache.get("key 40") is None
    assert found(directory) == WITHOUT_ONE
    cache.put("key 40", ENTRIES["key 40"])
    assert found(directory) == ENTRIES


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 99, 1000, 2015])
def test_truncated_file(directory: Path, length: int) -> None:
    """A file that ends early is a miss."""
    os.truncate(file_of(directory), length)

    assert found(directory) == WITHOUT_ONE


def test_file_of_another_entry(directory: Path) -> None:
    """A file under the name of another key is a miss."""
    file = file_of(directory)
    other = next(path for path in directory.iterdir() if path != file)
    other.replace(file)

    assert DiskCache(directory).get("key 40") is None


def test_write_that_fails_leaves_no_file(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk keeps the old entry, and no part of the new one stays."""
    before = sorted(directory.iterdir())

    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    DiskCache(directory).put("key 1", b"other")

    assert sorted(directory.iterdir()) == before
    assert found(directory) == ENTRIES


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
    """Another kind of file, or one that others can write, is neither read nor waited for."""
    change(file_of(directory))

    assert found(directory) == WITHOUT_ONE
    DiskCache(directory).put("key 40", b"value")
    assert {key: found(directory)[key] for key in OTHERS} == OTHERS


@posix
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777, 0o720])
def test_directory_that_others_can_write_is_not_used(directory: Path, mode: int) -> None:
    """In such a directory the files could come from anybody."""
    directory.chmod(mode)

    assert is_unusable(directory)


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user_are_not_used(directory: Path) -> None:
    """A directory or a file of another user is not trusted, even by root."""
    os.chown(file_of(directory), 12345, 12345)
    assert found(directory) == WITHOUT_ONE

    os.chown(directory, 12345, 12345)
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
    directory.chmod(0o500)
    cache = DiskCache(directory)
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


def test_symbolic_link_is_replaced_not_followed(directory: Path) -> None:
    """A write through a link in place of an entry changes no other file."""
    file = file_of(directory)
    as_symlink(file)
    before = file.with_name("target").read_bytes()

    DiskCache(directory).put("key 40", b"value")

    assert file.with_name("target").read_bytes() == before
    assert DiskCache(directory).get("key 40") == b"value"


def test_entry_that_many_write_at_once(directory: Path) -> None:
    """A reader finds the complete value of one of the writers."""
    values = [bytes([number]) * 10_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for value in values * 10:
            pool.submit(DiskCache(directory).put, "key 40", value)
        results = [DiskCache(directory).get("key 40") for _ in range(200)]

    assert set(results) <= {ENTRIES["key 40"], *values}
    assert len(list(directory.iterdir())) == len(ENTRIES)


def test_home_without_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a home directory there is no default place; with one it is the user's cache directory."""
    monkeypatch.setattr(disk_cache, "user_cache_path", lambda *names, **options: Path("~/.cache/x"))
    assert default_cache_directory() is None

    monkeypatch.undo()
    assert default_cache_directory() == user_cache_path("vehicle-ocr-mock", appauthor=False)


def test_entries_that_came_with_the_package(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are used where the user has no entry or no directory of his own, and not by a cache that is switched off."""
    monkeypatch.setattr(disk_cache, "_SHIPPED", directory)
    own = DiskCache(tmp_path / "own")
    own.put("key 1", b"newer")
    (tmp_path / "a file").touch()

    assert found(tmp_path / "own") == {**ENTRIES, "key 1": b"newer"}
    assert found(tmp_path / "a file") == ENTRIES
    assert found(None) == dict.fromkeys(ENTRIES)


@posix
def test_entries_beside_the_package_that_others_can_write(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not used."""
    monkeypatch.setattr(disk_cache, "_SHIPPED", directory)
    file_of(directory).chmod(0o666)

    assert found(tmp_path / "own") == WITHOUT_ONE
