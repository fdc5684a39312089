"""Every setting of the server: one frozen value, and where it comes from.

A flag wins over its environment variable (`VEHICLE_OCR_MOCK_<FLAG>`), that over `mock.yaml`, that over the default.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from mock_server.errors import SettingsError

ENVIRONMENT_PREFIX = "VEHICLE_OCR_MOCK_"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


def shipped_fixtures() -> Path:
    """The fixtures directory that comes with the package, installed or in a checkout."""
    installed = Path(__file__).parent / "_fixtures"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "fixtures"


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is told when it starts. Names are those of the flags, with underscores."""

    fixtures: Path | None = _setting(
        None, "Directory with mock.yaml and scenarios/; without it, the shipped set."
    )
    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8080, "HTTP port; 0 takes a free one.")
    tls: bool = _setting(False, "Serve HTTPS as well, for the providers' real host names.")
    tls_port: int = _setting(8443, "HTTPS port; 0 takes a free one.")
    tls_names: str = _setting("", "Further host names for the certificate, separated by commas.")
    unmatched: str = _setting(
        "synthesize", "Pictures that no scenario knows: synthesize, nothing_found or error."
    )
    strict: bool = _setting(False, "Refuse what the providers do not document, such as clients' own aliases.")
    forcing: bool = _setting(True, "Let clients force outcomes by Prefer header, file name or URL.")
    fetch: str = _setting("off", "Image URLs that may be fetched: off, local, any, or globs of hosts.")
    seed: int = _setting(0, "Seed of everything drawn by chance.")
    workers: int = _setting(1, "Processes; more than one needs a shared state.")
    state: str = _setting("memory", "Where counters live: memory, or redis://HOST:PORT/DB.")
    watch: bool = _setting(True, "Reload fixtures when their files change.")
    admin_token: str = _setting(
        "", "Token of the admin API; needed beyond loopback, where one is made if absent."
    )
    mock_headers: bool = _setting(True, "Add X-Mock-* headers to the providers' replies.")
    log_format: str = _setting("text", "Log lines as text or json.")
    log_level: str = _setting("info", "How much is logged: debug, info, warning or error.")
    max_body: int = _setting(32 * 1024 * 1024, "Bytes of a request's body that are accepted.")
    max_pixels: int = _setting(64_000_000, "Pixels of a picture that are decoded.")
    journal_size: int = _setting(10_000, "Exchanges that the journal keeps.")
    journal_bytes: int = _setting(32 * 1024 * 1024, "Bytes that the journal keeps.")
    cache: bool = _setting(True, "Keep the index of pictures on disk for the next start.")

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise SettingsError(
                    f"{_flag(name)} is {getattr(self, name)!r}, not one of {', '.join(allowed)}"
                )
        for name in ("port", "tls_port"):
            if not 0 <= getattr(self, name) <= 65535:
                raise SettingsError(f"{_flag(name)} is {getattr(self, name)}, not a port from 0 to 65535")
        for name in ("workers", "max_body", "max_pixels", "journal_size", "journal_bytes"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{_flag(name)} is {getattr(self, name)}, not a number from 1 up")

    @property
    def fixtures_dir(self) -> Path:
        """The directory to serve."""
        return self.fixtures or shipped_fixtures()

    @property
    def shared(self) -> bool:
        """Whether counters are shared with other processes."""
        return self.state != "memory"

    @classmethod
    def of(
        cls,
        flags: Mapping[str, Any],
        file: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Settings from flags (None where not given), then the environment, then `mock.yaml`.

        Raises SettingsError for a flag that does not exist and for a value that is not of its setting's type.
        """
        environment = os.environ if environment is None else environment
        _refuse_unknown(flags)
        values: dict[str, Any] = {}
        for setting in fields(cls):
            name = setting.name
            if flags.get(name) is not None:
                values[name] = flags[name]
            elif (value := _in_environment(name, setting.type, environment)) is not None:
                values[name] = value
            elif file and name in file:
                values[name] = _typed(name, setting.type, file[name], f"mock.yaml: {name}")
        return cls(**values)


_CHOICES = {
    "unmatched": ("synthesize", "nothing_found", "error"),
    "log_format": ("text", "json"),
    "log_level": ("debug", "info", "warning", "error"),
}


def setting_names() -> tuple[str, ...]:
    """The names of all settings."""
    return tuple(setting.name for setting in fields(Settings))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _refuse_unknown(flags: Mapping[str, Any]) -> None:
    known = setting_names()
    for name in flags:
        if name not in known:
            close = get_close_matches(name, known, 1)
            raise SettingsError(
                f"there is no setting {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")
            )


def _in_environment(name: str, kind: Any, environment: Mapping[str, str]) -> Any:
    """The value of a setting's variable; a flag that is switched off, `--no-watch`, is `..._NO_WATCH=1` too."""
    variable = ENVIRONMENT_PREFIX + name.upper()
    if variable in environment:
        return _typed(name, kind, environment[variable], variable)
    switched_off = f"{ENVIRONMENT_PREFIX}NO_{name.upper()}"
    if kind is bool and switched_off in environment:
        return not _boolean(environment[switched_off], switched_off)
    return None


def _typed(name: str, kind: Any, text: str, where: str) -> Any:
    if kind is bool:
        return _boolean(text, where)
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{where} is {text!r}, not a whole number") from None
    return Path(text) if name == "fixtures" else text


def _boolean(text: str, where: str) -> bool:
    if text.strip().lower() in _TRUE:
        return True
    if text.strip().lower() in _FALSE:
        return False
    raise SettingsError(f"{where} is {text!r}, neither true nor false")
