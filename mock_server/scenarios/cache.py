"""What was understood of fixture files, kept on disk between runs: a start then reads only files that changed.

One file a directory of fixtures, in the user's own cache. It is a pickle, as trustworthy as Python's own compiled
files beside it: one that somebody else could have written is not read. A cache that cannot be used is done without.
"""

import os
import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import xxhash

import mock_server
from mock_server.core.account import Account
from mock_server.errors import Mistake
from mock_server.scenarios.discovery import Signature
from mock_server.scenarios.parse_results import ParsedFile, ParsedMock
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.version import __version__

_PACKAGE = Path(mock_server.__file__).parent
_WRITABLE_BY_OTHERS = 0o022


@dataclass(frozen=True, slots=True)
class Checked:
    """That the pictures were indexed and nothing was wrong with them: under what limits, and what was odd."""

    max_pixels: int
    accounts: Sequence[Account]
    warnings: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Files as they were understood, each with what tells whether it has changed since."""

    files: Mapping[str, tuple[Signature, ParsedFile]] = field(default_factory=dict)
    mock: tuple[Signature, ParsedMock] | None = None
    sizes: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=dict)
    checked: Checked | None = None


def kept_file(cache: Path, root: Path, shown: Path, vocabulary: Vocabulary) -> Path:
    """Where the directory `root` is kept. Another wording of the code that reads it is another file."""
    told = "\n".join([__version__, str(root), str(shown), *_words(vocabulary), *_sources()])
    return cache / f"fixtures-{xxhash.xxh3_128_hexdigest(told.encode('utf-8', 'surrogateescape'))}.pickle"


def recall(path: Path) -> Kept:
    """What is kept in a file; nothing if it cannot be used."""
    try:
        with path.open("rb") as file:
            if not _ours(os.fstat(file.fileno())):
                return Kept()
            kept = pickle.load(file)
    except Exception:  # a damaged file may raise anything
        return Kept()
    return kept if isinstance(kept, Kept) else Kept()


def keep(path: Path, kept: Kept) -> None:
    """Write a file, for its owner alone; done without where that is not possible."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
        try:
            with os.fdopen(handle, "wb") as file:
                pickle.dump(kept, file, protocol=pickle.HIGHEST_PROTOCOL)
            # Beside its target, so that it takes its place in one act.
            Path(name).replace(path)
        except OSError:
            Path(name).unlink()
            raise


def _ours(facts: os.stat_result) -> bool:
    if os.name != "posix":
        return True
    return facts.st_uid == os.geteuid() and not facts.st_mode & _WRITABLE_BY_OTHERS


def _words(vocabulary: Vocabulary) -> Iterator[str]:
    yield ",".join(sorted(vocabulary.settings))
    for provider, outcomes in sorted(vocabulary.providers.items()):
        variants = sorted((str(outcome), sorted(names)) for outcome, names in outcomes.items())
        yield f"{provider} {variants}"


def _sources() -> Iterator[str]:
    """Stamps of the code that reads fixtures and pictures and of the values it makes of them."""
    for directory in ("scenarios", "core", "imaging", "identifiers"):
        for entry in sorted(os.scandir(_PACKAGE / directory), key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                facts = entry.stat()
                yield f"{entry.name} {facts.st_mtime_ns} {facts.st_size}"
