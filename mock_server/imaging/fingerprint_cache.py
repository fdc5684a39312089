"""Fingerprints kept on disk between runs, by content and by the matcher's version.

One SQLite file in the cache directory. A file's digest is remembered by path, size and time of change, so
that a
second start reads no picture at all. A cache that cannot be used is no reason to fail: it is done without.
"""

import hashlib
import sqlite3
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from mock_server.imaging.fingerprint import Fingerprint, Region
from mock_server.imaging.fingerprint_codec import packed, unpacked

# Raised with every change of what a fingerprint holds or how it is made.
VERSION = 8
_AT_ONCE = 256
_TABLES = """
CREATE TABLE IF NOT EXISTS digests (path TEXT PRIMARY KEY, size INTEGER, changed INTEGER, sha256 TEXT);
CREATE TABLE IF NOT EXISTS fingerprints (key BLOB PRIMARY KEY, record BLOB);
"""


class Cache:
    """The cache in a directory, or none where that is None. For use in a `with`; safe to share between
    threads."""

    def __init__(self, directory: Path | None) -> None:
        self._lock = Lock()
        self._database = _opened(directory) if directory else None
        self._unwritten: list[tuple[str, tuple[object, ...]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database:
            with self._lock:
                self._flush(self._database)
            self._database.close()

    def digest_of(self, source: Path | bytes) -> str | None:
        """The SHA-256 of a file that has not changed since it was last read."""
        if isinstance(source, bytes):
            return None
        stat = source.stat()
        row = self._row(
            "SELECT sha256 FROM digests WHERE path = ? AND size = ? AND changed = ?",
            (str(source.absolute()), stat.st_size, stat.st_mtime_ns),
        )
        return str(row[0]) if row else None

    def keep_digest(self, source: Path | bytes, sha256: str) -> None:
        """Remember a file's digest."""
        if not isinstance(source, bytes):
            stat = source.stat()
            self._write(
                "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?)",
                (str(source.absolute()), stat.st_size, stat.st_mtime_ns, sha256),
            )

    def fingerprint(self, sha256: str, regions: tuple[Region, ...]) -> Fingerprint | None:
        """The fingerprint made of this content with these regions, if there is one."""
        row = self._row("SELECT record FROM fingerprints WHERE key = ?", (_key(sha256, regions),))
        return unpacked(row[0]) if row and isinstance(row[0], bytes) else None

    def keep(self, sha256: str, regions: tuple[Region, ...], made: Fingerprint) -> None:
        """Remember a fingerprint."""
        if self._database:
            self._write(
                "INSERT OR REPLACE INTO fingerprints VALUES (?, ?)", (_key(sha256, regions), packed(made))
            )

    def _row(self, statement: str, values: tuple[object, ...]) -> tuple[object, ...] | None:
        if self._database is None:
            return None
        try:
            with self._lock:
                row: tuple[object, ...] | None = self._database.execute(statement, values).fetchone()
                return row
        except sqlite3.Error:
            return None

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        if self._database is None:
            return
        with self._lock:
            self._unwritten.append((statement, values))
            if len(self._unwritten) >= _AT_ONCE:
                self._flush(self._database)

    def _flush(self, database: sqlite3.Connection) -> None:
        # In short transactions: while one is open, every other process waits for it.
        unwritten, self._unwritten = self._unwritten, []
        # Another process may write for long, or the disk be full: what is not kept is made again next time.
        with suppress(sqlite3.Error), database:
            for statement, values in unwritten:
                database.execute(statement, values)


def _opened(directory: Path) -> sqlite3.Connection | None:
    path = directory / f"pictures-{VERSION}.sqlite"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return _connected(path)
    except sqlite3.DatabaseError:
        # Not a database, or a damaged one: begin anew.
        path.unlink(missing_ok=True)
        try:
            return _connected(path)
        except sqlite3.Error:
            return None
    except OSError:
        return None


def _connected(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=2, check_same_thread=False)
    try:
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(_TABLES)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _key(sha256: str, regions: tuple[Region, ...]) -> bytes:
    return hashlib.blake2b(f"{sha256} {regions!r}".encode(), digest_size=20).digest()
