"""The environment in which a child process, and its children, find the mock under the providers' names."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from mock_server.redirect.no_proxy import without_proxy
from mock_server.redirect.python_hook import ROUTE_VARIABLE, Route
from mock_server.redirect.trust import JAVA_PASSWORD, bundles, java_trust_store

_HERE = Path(__file__).parent
_PYTHON_STARTUP = _HERE / "startup"
_NODE_PRELOAD = _HERE / "preload.cjs"


def child_environment(route: Route, directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` with all that leads Python, Node and curl to the mock, and makes others trust it.

    Files that the variables name are written into `directory`, which must live as long as the child.
    """
    changed = dict(environ)
    changed[ROUTE_VARIABLE] = route.to_text()
    changed["PYTHONPATH"] = _before(str(_PYTHON_STARTUP), environ.get("PYTHONPATH"), os.pathsep)
    changed["NODE_OPTIONS"] = _before(
        f"--require {json.dumps(str(_NODE_PRELOAD))}", environ.get("NODE_OPTIONS"), " "
    )
    changed["CURL_HOME"] = str(directory)
    (directory / ".curlrc").write_text(_curl_settings(route, environ), encoding="utf-8")
    changed |= without_proxy(route.names, environ)
    changed |= _trust(route, directory, environ)
    return changed


def _trust(route: Route, directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    variables: dict[str, str] = {}
    contents = bundles(environ, Path(route.certificate).read_bytes())
    for variable, bundle in contents.items():
        path = directory / f"{variable.lower()}.pem"
        path.write_bytes(bundle)
        variables[variable] = str(path)
    java = environ.get("JAVA_TOOL_OPTIONS", "")
    # Java knows one trust store; where the user named one, it is theirs to extend.
    if "javax.net.ssl.trustStore=" not in java:
        store = directory / "java-trust.p12"
        store.write_bytes(java_trust_store(contents["SSL_CERT_FILE"]))
        ours = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={JAVA_PASSWORD}"
        variables["JAVA_TOOL_OPTIONS"] = _before(ours, java, " ")
    return variables


def _curl_settings(route: Route, environ: Mapping[str, str]) -> str:
    """curl reads one settings file only: the user's own lines, then where the names lead."""
    lines = [_user_curl_settings(environ)]
    lines += [
        f'connect-to = "{name}:{port}:{route.address}:{to}"'
        for name in route.names
        for port, to in route.ports.items()
    ]
    return "\n".join(lines) + "\n"


def _user_curl_settings(environ: Mapping[str, str]) -> str:
    places = [
        Path(environ[variable], name)
        for variable, name in (
            ("CURL_HOME", ".curlrc"),
            ("XDG_CONFIG_HOME", ".curlrc"),
            ("XDG_CONFIG_HOME", "curlrc"),
            ("HOME", ".curlrc"),
            ("HOME", ".config/curlrc"),
        )
        if environ.get(variable)
    ]
    for place in places:
        if place.is_file():
            return place.read_text(encoding="utf-8", errors="surrogateescape")
    return ""


def _before(first: str, rest: str | None, separator: str) -> str:
    return f"{first}{separator}{rest}" if rest else first
