"""The verb `doctor`: what usually goes wrong, and what to do. Its checks change nothing that lasts."""

import asyncio
import os
import platform
import re
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from cryptography import x509

from mock_server.cli.options import settings_options
from mock_server.errors import FixturesError, MockServerError, SettingsError
from mock_server.listening import listen
from mock_server.redirect.environment import hosts_without_proxy
from mock_server.settings import Settings, reachable_host, shipped_fixtures
from mock_server.suggest import many
from mock_server.version import __version__

PACKAGE = "vehicle-ocr-mock"
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[\w,-]+\])?>=([\d.]+)(.*)")
_TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


class Level(StrEnum):
    """How a check ended. A note needs no action for most users."""

    OK = "ok"
    NOTE = "note"
    FAILED = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check, and what to do about it."""

    check: str
    level: Level
    text: str
    advice: str = ""


@click.command()
@settings_options()
def command(**flags: Any) -> None:
    """Check what usually goes wrong, and say what to do.

    Each check prints one line. FIXTURES and the options are those of serve. Nothing is changed. Exit codes: 0 fine
    (notes are allowed), 1 a check has failed, 2 usage.
    """
    failures = 0
    for finding in findings(flags):
        failures += finding.level is Level.FAILED
        click.echo(f"{finding.level:<4}  {finding.check}: {finding.text}")
        if finding.advice:
            click.echo(f"      {finding.advice}")
    if failures:
        click.echo(f"\n{many(failures, 'check has', 'checks have')} failed")
        sys.exit(1)


def findings(flags: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """The results of all checks for a server with these flags (None: not given) in this environment."""
    environ = os.environ if environ is None else environ
    yield _versions()
    yield _dependencies()
    yield _on_the_path()
    settings, finding = _settings(flags, environ)
    yield finding
    for check in (_fixtures, _watching, _http_port, _https_port, _state, _heif, _authority):
        yield check(settings)
    yield _temporary_directory()
    yield _proxy(environ)


def _versions() -> Finding:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return Finding("versions", Level.OK, f"{PACKAGE} {__version__}, {python}")


def _dependencies() -> Finding:
    """Whether every package is there in a version that is new enough."""
    wrong, count = [], 0
    for name, lowest, marker in _requirements():
        count += 1
        try:
            found = version(name)
        except PackageNotFoundError:
            if not marker:
                wrong.append(f"{name} is missing")
            continue
        if _numbers(found) < _numbers(lowest):
            wrong.append(f"{name} is {found}, older than {lowest}")
    if wrong:
        return Finding("packages", Level.FAILED, "; ".join(wrong), "install the package again with pip")
    return Finding("packages", Level.OK, f"{count} packages, all new enough")


def _requirements() -> Iterator[tuple[str, str, str]]:
    """Name, lowest version and marker of every package that is needed, without those of extras."""
    declared: list[str] = []
    with suppress(PackageNotFoundError):
        declared = requires(PACKAGE) or []
    for text in declared:
        if (match := _REQUIREMENT.fullmatch(text)) and "extra ==" not in match[3]:
            yield match[1], match[2], match[3]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


def _on_the_path() -> Finding:
    found = shutil.which(PACKAGE)
    if found is None:
        directory = Path(sys.executable).parent
        advice = f"it is {directory / PACKAGE}; or run `{Path(sys.executable).name} -m mock_server`"
        return Finding("command", Level.NOTE, f"{PACKAGE} is not on the PATH", advice)
    return Finding("command", Level.OK, found)


def _settings(flags: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Settings, Finding]:
    """The settings of the server. Where they cannot be read, the other checks go on with the flags alone."""
    from mock_server.startup import read_settings

    try:
        return read_settings(flags, environ), Finding("settings", Level.OK, "flags, variables and mock.yaml are usable")
    except FixturesError:  # reported by the check of the fixtures
        return Settings.resolve(flags, environ=environ), Finding("settings", Level.NOTE, "mock.yaml could not be read")
    except SettingsError as error:
        advice = "correct it, or unset the variable"
        with suppress(SettingsError):
            return Settings.resolve(flags, environ={}), Finding("settings", Level.FAILED, str(error), advice)
        known = {"fixtures": flags.get("fixtures")}
        return Settings.resolve(known, environ={}), Finding("settings", Level.FAILED, str(error), advice)


def _fixtures(settings: Settings) -> Finding:
    from mock_server.providers.registry import vocabulary
    from mock_server.scenarios.discovery import why_unusable
    from mock_server.scenarios.load import declared_accounts, load

    root = settings.fixtures_dir
    if reason := why_unusable(root):
        return Finding("fixtures", Level.FAILED, reason, f"make a directory with `{PACKAGE} init`")
    try:
        accounts = declared_accounts(shipped_fixtures(), vocabulary=vocabulary())
        loaded = load(root, vocabulary=vocabulary(), accounts=accounts)
    except FixturesError as error:
        text = f"{many(len(error.mistakes), 'mistake')} in {root}; the first: {error.mistakes[0]}"
        return Finding("fixtures", Level.FAILED, text, f"see all with `{PACKAGE} validate {root}`")
    return Finding("fixtures", Level.OK, f"{root}: {loaded.set.summary}")


def _watching(settings: Settings) -> Finding:
    """Whether a change of a file can be seen by its time, as hot reload does."""
    root = settings.fixtures_dir
    if not settings.watch:
        return Finding("reload", Level.NOTE, "--no-watch: changed files are read after POST /__admin/reload only")
    try:
        # Hidden files are not fixtures, so a running server does not read this one.
        with tempfile.NamedTemporaryFile(dir=root, prefix=".doctor-") as file:
            os.utime(file.name, ns=(0, 1_000_000_000))
            before = Path(file.name).stat().st_mtime_ns
            file.write(b"x")
            file.flush()
            is_seen = Path(file.name).stat().st_mtime_ns != before
    except OSError as error:
        text = f"not tried: {root} cannot be written ({error.strerror})"
        return Finding("reload", Level.NOTE, text, "a file that is changed elsewhere is read within a second")
    if is_seen:
        return Finding("reload", Level.OK, f"changes in {root} are seen")
    return Finding("reload", Level.FAILED, f"{root} keeps no times of changes", "use POST /__admin/reload or SIGHUP")


def _http_port(settings: Settings) -> Finding:
    return _port("port", settings.host, settings.port, "--port")


def _https_port(settings: Settings) -> Finding:
    if not settings.tls:
        return Finding("TLS port", Level.OK, "HTTPS is off; --tls turns it on")
    return _port("TLS port", settings.host, settings.tls_port, "--tls-port")


def _port(check: str, host: str, port: int, flag: str) -> Finding:
    try:
        for listener in listen(host, port):
            listener.close()
    except SettingsError as error:
        text = f"{error}; {_who_answers(host, port)}"
        return Finding(check, Level.FAILED, text, f"stop that program, or take a free port: {flag} 0")
    return Finding(check, Level.OK, f"{host}:{port} is free" if port else "any free port")


def _who_answers(host: str, port: int) -> str:
    import httpx

    try:
        reply = httpx.get(f"http://{reachable_host(host)}:{port}/healthz", timeout=2, trust_env=False)
        found = reply.json()["version"] if reply.status_code == 200 else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        found = None
    return f"{PACKAGE} {found} answers there" if found else "another program may have the port"


def _state(settings: Settings) -> Finding:
    if not settings.has_shared_state:
        extra = "" if find_spec("redis") else "; --state redis://… needs the extra [redis]"
        return Finding("state", Level.OK, f"in memory{extra}")
    address = re.sub(r"//[^@/]*@", "//***@", settings.state)
    try:
        asyncio.run(_ping(settings.state))
    except MockServerError as error:
        advice = "install the extra [redis]" if "redis-py" in str(error) else "start it, or correct --state"
        return Finding("state", Level.FAILED, f"{address}: {error}", advice)
    return Finding("state", Level.OK, f"{address} answers")


async def _ping(url: str) -> None:
    from mock_server.core.redis_state.redis_client import RedisClient

    client = RedisClient(url)
    try:
        await client.command("PING")
    finally:
        await client.close()


def _heif(settings: Settings) -> Finding:
    if find_spec("pillow_heif"):
        return Finding("HEIC", Level.OK, "photos of iPhones can be read")
    return Finding("HEIC", Level.NOTE, "photos of iPhones are refused", "install the extra [heif] to read them")


def _authority(settings: Settings) -> Finding:
    """Whether the CA exists and which programs trust it. It is not made here."""
    from mock_server.certificate_authority import CA_DIRECTORY_VARIABLE, can_be_stored, default_directory

    try:
        path = default_directory() / "ca.pem"
        pem = path.read_bytes()
        expires = x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except OSError as error:
        if can_be_stored() and isinstance(error, FileNotFoundError):
            return Finding("CA", Level.OK, "not made yet; it is made by the first use of HTTPS")
        what = f"it cannot be stored in {path.parent}"
        advice = f"set {CA_DIRECTORY_VARIABLE} to a writable directory; exec needs none"
        return Finding("CA", Level.FAILED if settings.tls else Level.NOTE, what, advice)
    except SettingsError as error:
        return Finding("CA", Level.FAILED if settings.tls else Level.NOTE, str(error))
    except ValueError as error:
        return Finding("CA", Level.FAILED, f"{path} cannot be used: {error}", f"delete {path.parent} to make a new one")
    if expires < datetime.now(UTC):
        return Finding("CA", Level.NOTE, f"{path} has expired; it is renewed by the next use of HTTPS")
    trusting = [variable for variable in _TRUST_VARIABLES if _contains(os.environ.get(variable), pem)]
    if _contains(ssl.get_default_verify_paths().cafile, pem):
        trusting.append("the system's certificates")
    if trusting:
        return Finding("CA", Level.OK, f"{path} is trusted by {', '.join(trusting)}")
    advice = f"`{PACKAGE} exec` needs no trust; for another way run `{PACKAGE} ca --install-hint`"
    return Finding("CA", Level.NOTE, f"{path} is trusted by no variable and not by the system", advice)


def _contains(bundle: str | None, pem: bytes) -> bool:
    with suppress(OSError):
        return bundle is not None and pem.strip() in Path(bundle).read_bytes()
    return False


def _temporary_directory() -> Finding:
    try:
        with tempfile.TemporaryFile():
            return Finding("temporary files", Level.OK, tempfile.gettempdir())
    except OSError as error:
        return Finding("temporary files", Level.FAILED, f"{error}", "HTTPS and exec need them: set TMPDIR")


def _proxy(environ: Mapping[str, str]) -> Finding:
    """Whether calls to this machine would go to a proxy."""
    names = [name for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy") if environ.get(name)]
    direct = set(hosts_without_proxy(environ))
    if not names:
        return Finding("proxy", Level.OK, "none is set")
    if direct & {"*", "127.0.0.1"}:
        return Finding("proxy", Level.OK, "calls to 127.0.0.1 go past it")
    text = f"{names[0]} is set and NO_PROXY lacks 127.0.0.1: clients may send their calls to the proxy"
    return Finding("proxy", Level.NOTE, text, "add 127.0.0.1,localhost to NO_PROXY; exec does so by itself")
