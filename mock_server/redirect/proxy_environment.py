"""The variables that lead a child process by the proxy, where its runtime heeds proxy settings."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from mock_server.redirect.environment import LOOPBACK, PROXIES, Upstream, covers, hosts_without_proxy
from mock_server.redirect.proxy import proxy
from mock_server.redirect.python_hook import Route

_PHP_PREPEND = Path(__file__).parent / "php_streams.php"


@contextmanager
def proxied_environment(
    route: Route, directory: Path, environ: Mapping[str, str], child: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """Serve the proxy, and give the variables that `child` needs in addition.

    `environ` is the user's environment, `child` the one that leads Python, Node and curl. Files that the variables name
    are written to `directory`. Raises SettingsError if the user's own proxy cannot be used.
    """
    exceptions = _exceptions(route.names, environ)
    with proxy(route, upstream_of(environ, exceptions)) as url:
        direct = ",".join(dict.fromkeys([*exceptions, *LOOPBACK]))
        # curl is led without the proxy.
        with (directory / ".curlrc").open("a", encoding="utf-8", errors="surrogateescape") as settings:
            settings.write(f'noproxy = "{",".join([direct, *route.names])}"\n')
        names = ("http_proxy", "https_proxy")
        yield {
            **dict.fromkeys((*names, *(name.upper() for name in names)), url),
            **dict.fromkeys(("no_proxy", "NO_PROXY"), direct),
            "JAVA_TOOL_OPTIONS": f"{_java_options(url, exceptions)} {child.get('JAVA_TOOL_OPTIONS', '')}".strip(),
            "PHP_INI_SCAN_DIR": _php_settings(directory, child),
            "WGETRC": _wget_settings(directory, environ, child),
        }


def upstream_of(environ: Mapping[str, str], exceptions: Sequence[str] = ()) -> Upstream:
    """The proxy that the user has set. A variable in lower case applies before the one in upper case."""
    found = {variable: environ.get(variable) or environ.get(variable.upper()) for variable in PROXIES}
    proxies = {variable.removesuffix("_proxy"): value for variable, value in found.items() if value}
    return Upstream(proxies, exceptions)


def _exceptions(names: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The hosts that the user reaches without a proxy. An entry that covers one of `names` is left out.

    Without "*", all hosts go to the proxy of this machine; it connects to them directly if the user has no proxy.
    """
    hosts = dict.fromkeys(hosts_without_proxy(environ))
    return [host for host in hosts if not any(covers(host, name) for name in names)]


def _java_options(url: str, exceptions: Sequence[str]) -> str:
    address = urlsplit(url)
    patterns = [f"*{host}" if host.startswith(".") else host for host in exceptions if " " not in host]
    # A name covers its subdomains in the variable, not in Java's property.
    patterns += [f"*.{host}" for host in exceptions if host[0] not in ".*" and not host[-1].isdigit()]
    direct = "|".join(["localhost", "127.*", "[::1]", *patterns])
    hosts = [f"-D{scheme}.proxyHost={address.hostname} -D{scheme}.proxyPort={address.port}" for scheme in _SCHEMES]
    return " ".join([*hosts, f"-Dhttp.nonProxyHosts={direct}"])


_SCHEMES = ("http", "https")


def _wget_settings(directory: Path, environ: Mapping[str, str], child: Mapping[str, str]) -> str:
    """Write a settings file for wget, which reads no variable for certificates: the user's own lines, then ours."""
    users = Path(environ.get("WGETRC") or Path(environ.get("HOME") or "/", ".wgetrc"))
    lines = [users.read_text(encoding="utf-8", errors="surrogateescape")] if users.is_file() else []
    lines += [f"ca_certificate = {child['SSL_CERT_FILE']}", ""]
    path = directory / "wgetrc"
    path.write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    return str(path)


def _php_settings(directory: Path, child: Mapping[str, str]) -> str:
    """Write a settings file for PHP; returns the directories in which PHP looks for such files."""
    place = directory / "php"
    place.mkdir()
    bundle = child["SSL_CERT_FILE"]
    lines = [f'curl.cainfo = "{bundle}"', f'openssl.cafile = "{bundle}"', f'auto_prepend_file = "{_PHP_PREPEND}"']
    (place / "vehicle-ocr-mock.ini").write_text("\n".join([*lines, ""]), encoding="utf-8")
    # An empty directory stands for the one that PHP was built with.
    return f"{child.get('PHP_INI_SCAN_DIR', '')}{os.pathsep}{place}"
