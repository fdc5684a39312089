"""Redirect a child process and its children, or this process for a while, to the mock."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mock_server.redirect.python_hook import ROUTE_VARIABLE, Route, install

_HERE = Path(__file__).parent
_PYTHON_STARTUP = _HERE / "startup"
_NODE_PRELOAD = _HERE / "preload.cjs"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_CURL_SETTINGS = (
    ("CURL_HOME", ".curlrc"),
    ("XDG_CONFIG_HOME", ".curlrc"),
    ("XDG_CONFIG_HOME", "curlrc"),
    ("HOME", ".curlrc"),
    ("HOME", ".config/curlrc"),
)


def child_environment(route: Route, directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` with the variables that redirect Python, Node and curl, and that make others trust the mock.

    Files that the variables name are written to `directory`, which must exist as long as the child runs.
    """
    (directory / ".curlrc").write_text(_curl_settings(route, environ), encoding="utf-8")
    node_option = f"--require {json.dumps(str(_NODE_PRELOAD))}"
    return {
        **environ,
        ROUTE_VARIABLE: route.to_text(),
        "PYTHONPATH": _prepend(str(_PYTHON_STARTUP), environ.get("PYTHONPATH"), os.pathsep),
        "NODE_OPTIONS": _prepend(node_option, environ.get("NODE_OPTIONS"), " "),
        "CURL_HOME": str(directory),
        **proxy_exceptions([*route.names, *LOOPBACK], environ),
        **_trust_variables(route, directory, environ),
    }


def proxy_exceptions(names: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep `names` away from a proxy; none where no proxy is set.

    Where only the operating system names a proxy, some libraries would ignore it if these variables were set.
    """
    if not any(environ.get(variable) for proxy in PROXIES for variable in (proxy, proxy.upper())):
        return {}
    before = hosts_without_proxy(environ)
    # "*" has its meaning only if it stands alone.
    hosts = "*" if "*" in before else ",".join(dict.fromkeys([*before, *names]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def hosts_without_proxy(environ: Mapping[str, str]) -> list[str]:
    """The hosts in `no_proxy` and `NO_PROXY`, which commas or spaces separate."""
    return f"{environ.get('no_proxy', '')},{environ.get('NO_PROXY', '')}".replace(",", " ").split()


@contextmanager
def changed_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process while the context lasts."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def redirected(route: Route) -> Iterator[None]:
    """Make the route's names lead to the mock in this process, while the context lasts.

    Name look-ups, connections and TLS trust change for exactly these names, and no proxy is used for them. At the end
    all of it is undone, except that a TLS context that was used with the mock still trusts its authority.
    """
    with changed_environment(proxy_exceptions(route.names, os.environ)):
        undo = install(route)
        try:
            yield
        finally:
            undo()


def _trust_variables(route: Route, directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    from mock_server.redirect.trust import JAVA_PASSWORD, bundles, java_trust_store

    variables: dict[str, str] = {}
    contents = bundles(environ, Path(route.certificate).read_bytes())
    for variable, bundle in contents.items():
        path = directory / f"{variable.lower()}.pem"
        path.write_bytes(bundle)
        variables[variable] = str(path)
    java = environ.get("JAVA_TOOL_OPTIONS", "")
    # Java has one trust store. If the user has named one, it is not replaced.
    if "javax.net.ssl.trustStore=" not in java:
        store = directory / "java-trust.p12"
        store.write_bytes(java_trust_store(contents["SSL_CERT_FILE"]))
        option = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={JAVA_PASSWORD}"
        variables["JAVA_TOOL_OPTIONS"] = _prepend(option, java, " ")
    return variables


def _curl_settings(route: Route, environ: Mapping[str, str]) -> str:
    """curl reads only one settings file: the user's own lines, then the redirects."""
    user_files = [Path(environ[variable], name) for variable, name in _CURL_SETTINGS if environ.get(variable)]
    user_file = next((path for path in user_files if path.is_file()), None)
    lines = [user_file.read_text(encoding="utf-8", errors="surrogateescape")] if user_file else []
    lines += [
        f'connect-to = "{name}:{port}:{route.address}:{to}"' for name in route.names for port, to in route.ports.items()
    ]
    return "\n".join(lines) + "\n"


def _prepend(first: str, rest: str | None, separator: str) -> str:
    return f"{first}{separator}{rest}" if rest else first
