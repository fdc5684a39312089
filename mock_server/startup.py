"""What is made before the application: settings and fixtures are read, images indexed, the state is chosen."""

import ast
import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from mock_server.core.account import Account
from mock_server.core.decision import Policy
from mock_server.core.library import Defaults, Index, Library, UnmatchedPolicy
from mock_server.core.picture_caches import KeptUploads
from mock_server.core.state import State
from mock_server.disk_cache import default_cache_directory
from mock_server.errors import Mistake, SettingsError
from mock_server.providers.registry import vocabulary
from mock_server.scenarios.image_indexing import index_of, lazy_index
from mock_server.scenarios.load import CheckedPictures, FixtureLoader, Loaded, declared_accounts
from mock_server.settings import Settings, is_loopback, shipped_fixtures

_KEPT_ON_LOOPBACK = 16

Progress = Callable[[int, int], None]
"""Receives the number of indexed images and the number of all images."""


@dataclass(frozen=True, slots=True)
class Startup:
    """Settings and fixtures that an application serves. `loader` reads the same files again."""

    settings: Settings
    loader: FixtureLoader
    library: Library
    warnings: tuple[Mistake, ...]


def load(flags: Mapping[str, Any], progress: Progress | None = None) -> Startup:
    """Read settings and fixtures. Raises SettingsError and FixturesError, which lists all mistakes."""
    settings = Settings.resolve(flags)
    loader = FixtureLoader(
        settings.fixtures_dir,
        vocabulary=vocabulary(),
        accounts=_shipped_accounts(settings),
        cache=cache_directory(settings),
    )
    loaded = loader.load()
    settings = with_defaults(flags, loaded.set.defaults)
    _check(settings)
    index, warnings = _index(loader, loaded, settings, progress)
    return Startup(settings, loader, Library.of(loaded.set, index), (*loaded.warnings, *warnings))


def _check(settings: Settings) -> None:
    """Refuse settings that do not go together. Raises SettingsError."""
    if settings.workers > 1 and not settings.has_shared_state:
        raise SettingsError(
            f"--workers {settings.workers} needs a state that the processes share: add --state redis://HOST:PORT/DB"
        )
    if settings.workers > 1 and settings.keep_uploads > 0:
        raise SettingsError("--keep-uploads works with one process: leave out --workers")
    if settings.edit and settings.fixtures is None:
        raise SettingsError(
            "--edit writes into a fixtures directory of your own: name it, as in serve ./fixtures --edit"
        )


def read_settings(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """The settings that a server with these flags has. No scenario is read. Raises SettingsError and FixturesError."""
    settings = Settings.resolve(flags, environ=environ)
    loader = FixtureLoader(settings.fixtures_dir, vocabulary=vocabulary(), cache=cache_directory(settings))
    return with_defaults(flags, loader.mock_file().defaults, environ)


def with_defaults(flags: Mapping[str, Any], defaults: Defaults, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the flags, then the environment, then the defaults of `mock.yaml`."""
    file = dict(defaults.settings)
    if defaults.unmatched is not None:
        file["unmatched"] = defaults.unmatched.value
    if defaults.strict is not None:
        file["strict"] = str(defaults.strict)
    return Settings.resolve(flags, file, environ)


def cache_directory(settings: Settings) -> Path | None:
    """Where fingerprints are stored between two starts; None without a cache."""
    return default_cache_directory() if settings.cache else None


def _index(
    loader: FixtureLoader, loaded: Loaded, settings: Settings, progress: Progress | None
) -> tuple[Index, tuple[Mistake, ...]]:
    """The index of the images, and warnings. Images that an earlier start indexed without a mistake are deferred."""
    cache = cache_directory(settings)
    known_warnings = loader.checked_warnings(settings.max_pixels)
    # Workers share the memory of an index that exists before the fork.
    if known_warnings is not None and settings.workers == 1:
        return lazy_index(loaded, max_pixels=settings.max_pixels, cache=cache), known_warnings
    index, warnings = index_of(loaded, max_pixels=settings.max_pixels, cache=cache, progress=progress)
    loader.save(CheckedPictures(settings.max_pixels, loader.accounts, warnings))
    return index, warnings


def _shipped_accounts(settings: Settings) -> tuple[Account, ...]:
    # A fixtures directory without accounts uses the accounts of the shipped fixtures.
    if settings.fixtures_dir == shipped_fixtures():
        return ()
    return declared_accounts(shipped_fixtures(), vocabulary=vocabulary(), cache=cache_directory(settings))


LIVE_SETTINGS = ("unmatched", "unmatched_url", "forcing", "seed", "x402")
"""The settings that a reload of `mock.yaml` changes: those of `Policy`."""


def policy_of(settings: Settings) -> Policy:
    """The settings that hold for all requests."""
    return Policy(
        UnmatchedPolicy(settings.unmatched),
        forcing=settings.forcing,
        seed=settings.seed,
        reads_unfetched=settings.unmatched_url == "unmatched" and not settings.strict,
        pay_per_call=settings.x402 == "keyless",
    )


def kept_uploads(settings: Settings, *, is_served: bool) -> KeptUploads:
    """The uploads that are kept. They are in the memory of the process that received them."""
    is_private = is_served and is_loopback(settings.host) and settings.workers == 1
    by_default = _KEPT_ON_LOOPBACK if is_private else 0
    return KeptUploads(by_default if settings.keep_uploads < 0 else settings.keep_uploads)


def state_of(settings: Settings) -> State:
    """The state in the memory of this process, or in Redis."""
    bounds = settings.journal_size, settings.journal_bytes
    if not settings.has_shared_state:
        return State.local(*bounds)
    # The Redis client is an optional dependency.
    from mock_server.core.redis_state import shared_state

    return shared_state(settings.state, *bounds)


def parse_in_one_thread_at_a_time() -> None:
    """Make `ast.parse` wait while another thread parses, in Python 3.11.

    Its parser counts in one place for all threads, so that a garbage collection at the wrong moment ends in
    `SystemError: AST constructor recursion depth mismatch`. Imports of numpy.ma and of Pydantic's models parse the
    signatures of functions, and so does the log of a traceback.
    """
    if sys.version_info >= (3, 12) or hasattr(ast.parse, "__wrapped__"):
        return
    lock, parse = RLock(), ast.parse

    @functools.wraps(parse)
    def parse_alone(*args: Any, **options: Any) -> Any:
        with lock:
            return parse(*args, **options)

    ast.parse = parse_alone
