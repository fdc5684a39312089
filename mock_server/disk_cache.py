"""A cache on disk for results that can be computed again: one SQLite table of keys and bytes.

Nothing in the cache is executed, and nothing in it is trusted: the directory and the file must belong to this user and
must not be writable by others, and each row carries a checksum. A cache that cannot be used is a cache without rows:
every read is a miss and nothing is written.
"""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Self

import xxhash
from platformdirs import user_cache_path

FILE_NAME = "cache.sqlite"
_TABLE = "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB)"
_SELECT = "SELECT value FROM entries WHERE key = ?"
_INSERT = "INSERT OR REPLACE INTO entries VALUES (?, ?)"
_CHECKSUM_BYTES = 16
_WRITABLE_BY_OTHERS = 0o022
_COMPANIONS = ("", "-journal", "-wal", "-shm")
"""Endings of the files that SQLite opens: the database itself, and its journals."""

# Tuned values.
_LOCK_SECONDS = 2
"""How long to wait while another process writes."""
_WRITES_PER_TRANSACTION = 256
"""Other processes wait while a transaction is open, so transactions are short."""


def default_cache_directory() -> Path | None:
    """The user's cache directory for this program; None without a home directory."""
    try:
        directory = user_cache_path("vehicle-ocr-mock", appauthor=False)
    except RuntimeError:  # newer versions of platformdirs
        return None
    return directory if directory.is_absolute() else None


class DiskCache:
    """The cache in `directory`, or a cache that is always empty if that is None. Thread-safe; a context manager."""

    def __init__(self, directory: Path | None) -> None:
        self._lock = Lock()
        self._path = directory / FILE_NAME if directory else None
        self._database = _open(self._path) if self._path else None
        self._unwritten: dict[bytes, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._write()
            if self._database:
                self._database.close()

    def get(self, key: str, version: str = "") -> bytes | None:
        """The value that was stored under `key` by the same `version` of the code; None if there is none."""
        with self._lock:
            if self._database is None:
                return None
            try:
                row = self._database.execute(_SELECT, (_row_key(key),)).fetchone()
            except sqlite3.Error as error:
                self._give_up(error)
                return None
        data = row[0] if row else None
        if not isinstance(data, bytes):
            return None
        value = data[_CHECKSUM_BYTES:]
        return value if data[:_CHECKSUM_BYTES] == _checksum(key, version, value) else None

    def put(self, key: str, value: bytes, version: str = "") -> None:
        """Store a value. It is written at the latest when the cache is closed."""
        with self._lock:
            if self._database is None:
                return
            self._unwritten[_row_key(key)] = _checksum(key, version, value) + value
            if len(self._unwritten) >= _WRITES_PER_TRANSACTION:
                self._write()

    def _write(self) -> None:
        unwritten, self._unwritten = self._unwritten, {}
        if self._database is None or not unwritten:
            return
        try:
            with self._database:
                self._database.executemany(_INSERT, unwritten.items())
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on without a cache if the file is damaged; the next start makes a new one."""
        if self._database is not None and self._path is not None and _is_damage(error):
            self._database.close()
            self._database = None
            _delete(self._path)


def _checksum(key: str, version: str, value: bytes) -> bytes:
    return xxhash.xxh3_128_digest(_row_key(key) + _row_key(version) + value)


def _row_key(text: str) -> bytes:
    # The name of a file may hold bytes that are not text.
    return xxhash.xxh3_128_digest(text.encode("utf-8", "backslashreplace"))


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the content of the file is wrong. Other errors are operational: a lock, a full disk, no permission."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    # The low byte is the primary code, the rest its variant.
    return not isinstance(error, sqlite3.OperationalError) or code & 0xFF == sqlite3.SQLITE_ERROR


def _open(path: Path, *, is_new: bool = False) -> sqlite3.Connection | None:
    """Connect to the database; a damaged one is replaced by a new one."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_safe(path.parent, stat.S_ISDIR) or not _has_safe_files(path):
            return None
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return _connect(path)
    except sqlite3.Error as error:
        if is_new or not _is_damage(error):
            return None
        _delete(path)
        return _open(path, is_new=True)
    except OSError:
        return None


def _delete(path: Path) -> None:
    for ending in _COMPANIONS:
        with suppress(OSError):
            Path(f"{path}{ending}").unlink()


def _has_safe_files(path: Path) -> bool:
    files = [Path(f"{path}{ending}") for ending in _COMPANIONS]
    return all(_is_safe(file, stat.S_ISREG) for file in files if os.path.lexists(file))


def _is_safe(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Whether `path` is of the expected kind, belongs to this user and cannot be changed by others.

    Nothing is opened: opening a FIFO would block, and closing a second descriptor of a database would drop the locks
    that SQLite holds on it in this process. A symbolic link is never of the expected kind.
    """
    facts = path.lstat()
    if not is_kind(facts.st_mode):
        return False
    if os.name != "posix":
        return True
    return facts.st_uid == os.geteuid() and not facts.st_mode & _WRITABLE_BY_OTHERS


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_LOCK_SECONDS, check_same_thread=False)
    try:
        # A write that a crash cuts short costs the cache, which can be made again.
        database.execute("PRAGMA synchronous = OFF")
        database.execute(_TABLE)
    except sqlite3.Error:
        database.close()
        raise
    return database
