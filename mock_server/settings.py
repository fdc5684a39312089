"""The settings of the server. This is the only place that knows their names, types, defaults, limits and help texts.

The command line, `MockServer`, the environment and `mock.yaml` all take their settings from the fields of `Settings`.
A flag wins over its environment variable (`VEHICLE_OCR_MOCK_<FLAG>`), the variable over `mock.yaml`, and `mock.yaml`
over the default.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from mock_server.errors import SettingsError
from mock_server.suggest import quoted, suggest

ENVIRONMENT_PREFIX = "VEHICLE_OCR_MOCK_"
# Variables of the package that are not settings.
_OTHER_VARIABLES = ("URL", "TLS_URL", "CA_DIR", "REDIRECT")
# Kubernetes sets such variables in every container if a Service is named vehicle-ocr-mock or vehicle-ocr-mock-….
_KUBERNETES = r"(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_[A-Z]+(_(PROTO|PORT|ADDR))?)"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_MEGABYTE = 1024 * 1024
_LOOPBACK_OF_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def shipped_fixtures() -> Path:
    """The fixtures directory that comes with the package, in a wheel or in a checkout."""
    installed = Path(__file__).parent / "_fixtures"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "fixtures"


def is_all_addresses(host: str) -> bool:
    """Whether a server on `host` listens on every address of this machine."""
    return host in _LOOPBACK_OF_ALL


def reachable_host(host: str) -> str:
    """The address at which this machine reaches a server on `host`. No client can connect to 0.0.0.0 everywhere."""
    return _LOOPBACK_OF_ALL.get(host, host)


def is_loopback(host: str) -> bool:
    """Whether a host name or an address can only mean this machine."""
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)


def _setting(default: Any, help: str, **limits: Any) -> Any:
    """A field with its help text and its limits: `choices`, `minimum`, `maximum`; `repeatable` on the command line."""
    return field(default=default, metadata={"help": help, **limits})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one server. Raises SettingsError for a value outside its limits."""

    fixtures: Path | None = _setting(None, "Directory with mock.yaml and scenarios/. Default: the shipped fixtures.")
    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8080, "HTTP port; 0 takes a free port.", minimum=0, maximum=65535)
    tls: bool = _setting(False, "Also serve HTTPS, for the providers' real host names.")
    tls_port: int = _setting(8443, "HTTPS port; 0 takes a free port.", minimum=0, maximum=65535)
    tls_names: str = _setting("", "More host names for the certificate, separated by commas.")
    unmatched: str = _setting(
        "synthesize",
        "Answer to a picture that no scenario matches: synthesize, nothing_found or error.",
        choices=("synthesize", "nothing_found", "error"),
    )
    unmatched_url: str = _setting(
        "unmatched",
        "Answer to an image URL that may not be fetched: as to any unknown picture (unmatched), or an error (refuse).",
        choices=("unmatched", "refuse"),
    )
    strict: bool = _setting(False, "Refuse requests that the providers do not document, such as path aliases.")
    x402: str = _setting(
        "off",
        "keyless: a CarsXE call without a key is asked for a payment, and succeeds with a payment header.",
        choices=("off", "keyless"),
    )
    forcing: bool = _setting(True, "Let clients force an outcome by Prefer header, file name or URL.")
    fetch: str = _setting("off", "Image URLs that may be fetched: off, local, any, or host globs.", repeatable=True)
    cors: str = _setting(
        "off", "Origins whose web pages may call the providers and /images/: off, any, or origins.", repeatable=True
    )
    root_path: str = _setting("", "Path below which a proxy serves the mock, such as /mock.")
    seed: int = _setting(0, "Seed of all random choices.")
    workers: int = _setting(1, "Number of processes; more than one needs a shared --state.", minimum=1)
    state: str = _setting("memory", "Where counters are kept: memory, or redis://HOST:PORT/DB.")
    watch: bool = _setting(True, "Reload the fixtures when their files change.")
    admin_token: str = _setting(
        "", "Token of the admin API. Required beyond loopback: without one, a random token is printed."
    )
    mock_headers: bool = _setting(True, "Add X-Mock-* headers to the providers' replies.")
    log_format: str = _setting("text", "Format of log lines: text or json.", choices=("text", "json"))
    log_level: str = _setting(
        "info",
        "Lowest level that is logged: debug, info, warning or error.",
        choices=("debug", "info", "warning", "error"),
    )
    max_body: int = _setting(32 * _MEGABYTE, "Largest request body, in bytes.", minimum=1)
    max_pixels: int = _setting(
        64_000_000,
        "Largest picture that is decoded, in pixels; from the default on, four times as many in a baseline JPEG.",
        minimum=1,
    )
    decode_timeout: int = _setting(10, "Longest time to decode a picture, in seconds.", minimum=1)
    journal_size: int = _setting(10_000, "Number of exchanges that the journal keeps.", minimum=1)
    journal_bytes: int = _setting(32 * _MEGABYTE, "Size of the journal, in bytes.", minimum=1)
    keep_uploads: int = _setting(
        -1,
        "Number of uploads kept in memory for the dashboard; -1 keeps 16 for serve on loopback, and none elsewhere.",
        minimum=-1,
    )
    edit: bool = _setting(False, "Let the dashboard write scenarios into the fixtures directory.")
    advice_off: str = _setting("", "Rules of the report's advice that are switched off.", repeatable=True)
    cache: bool = _setting(True, "Keep the index of pictures on disk for the next start.")

    def __post_init__(self) -> None:
        for setting in fields(self):
            _check_limits(setting, getattr(self, setting.name))

    @property
    def fixtures_dir(self) -> Path:
        """The directory to serve."""
        return self.fixtures or shipped_fixtures()

    @property
    def has_shared_state(self) -> bool:
        """Whether other processes use the same counters."""
        return self.state != "memory"

    @classmethod
    def resolve(
        cls, flags: Mapping[str, Any], file: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None
    ) -> Self:
        """Return the settings from `flags` (None: not given), the environment and the settings in `mock.yaml`.

        Raises SettingsError for an unknown flag, an unknown variable and a value that cannot be used.
        """
        environ = os.environ if environ is None else environ
        file = file or {}
        for name in flags:
            if name not in setting_names():
                hint = suggest(name, setting_names())
                raise SettingsError(f"there is no setting {quoted(name)}" + (f"; {hint}" if hint else ""))
        _refuse_unknown_variables(environ)
        values: dict[str, Any] = {}
        for setting in fields(cls):
            name = setting.name
            if flags.get(name) is not None:
                values[name] = flags[name]
            elif (value := _environment_value(setting, environ)) is not None:
                values[name] = value
            elif name in file:
                values[name] = _parse(setting, file[name], f"mock.yaml: {name}")
        return cls(**values)


def setting_names() -> tuple[str, ...]:
    """The names of all settings."""
    return tuple(setting.name for setting in fields(Settings))


def flag_of(name: str) -> str:
    """The command line flag of a setting."""
    return "--" + name.replace("_", "-")


def _check_limits(setting: "Field[Any]", value: Any) -> None:
    limits = setting.metadata
    written = f"{flag_of(setting.name)} is {value!r}"
    if "choices" in limits and value not in limits["choices"]:
        raise SettingsError(f"{written}, not one of {', '.join(limits['choices'])}")
    if "minimum" in limits and value < limits["minimum"]:
        raise SettingsError(f"{written}; the smallest value is {limits['minimum']}")
    if "maximum" in limits and value > limits["maximum"]:
        raise SettingsError(f"{written}; the largest value is {limits['maximum']}")


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = {name.upper() for name in setting_names()} | set(_OTHER_VARIABLES)
    known |= {f"NO_{setting.name.upper()}" for setting in fields(Settings) if setting.type is bool}
    for variable, value in environ.items():
        name = variable.removeprefix(ENVIRONMENT_PREFIX)
        if name == variable or name in known or _is_set_by_containers(name, value):
            continue
        hint = suggest(name, sorted(known)).replace('"', f'"{ENVIRONMENT_PREFIX}', 1)
        raise SettingsError(f"{variable} is not a setting" + (f"; {hint}" if hint else ""))


def _is_set_by_containers(name: str, value: str) -> bool:
    """Whether a variable describes a service of Kubernetes, or a link of Docker, that has the name of this program."""
    is_port = name == "PORT" or name.endswith("_PORT")
    is_link = (name == "NAME" and value.startswith("/")) or name.startswith("ENV_")
    return is_link or (is_port and "://" in value) or re.fullmatch(_KUBERNETES, name) is not None


def _environment_value(setting: "Field[Any]", environ: Mapping[str, str]) -> Any:
    """The value of a setting's variable, or None. `…_NO_WATCH=1` means the same as `--no-watch`.

    An empty variable counts as none, as Compose passes `HOST: ${HOST}`: an empty host would mean all addresses.
    """
    variable = ENVIRONMENT_PREFIX + setting.name.upper()
    value = environ.get(variable)
    if value and not _is_set_by_containers(setting.name.upper(), value):
        return _parse(setting, value, variable)
    negated = f"{ENVIRONMENT_PREFIX}NO_{setting.name.upper()}"
    if setting.type is bool and environ.get(negated):
        return not _parse_boolean(environ[negated], negated)
    return None


def _parse(setting: "Field[Any]", text: str, source: str) -> Any:
    if setting.type is bool:
        return _parse_boolean(text, source)
    if setting.type is int:
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{source} is {text!r}, not a whole number") from None
    return Path(text) if setting.name == "fixtures" else text


def _parse_boolean(text: str, source: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise SettingsError(f"{source} is {text!r}, neither true nor false")
    return word in _TRUE
