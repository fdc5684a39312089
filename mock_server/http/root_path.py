"""A path prefix below which a proxy serves the mock."""

import re
from collections.abc import Iterable

from starlette.types import Scope

from mock_server.errors import SettingsError

_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def parse_root_path(text: str, served: Iterable[str] = ()) -> str:
    """The setting `root_path` without a slash at its end; `served` are the paths that the mock serves.

    Raises SettingsError, also for a path that one of them begins with: it would be taken for the prefix.
    """
    path = text.rstrip("/")
    if path and (not _ROOT_PATH.fullmatch(path) or {".", ".."} & set(path.split("/"))):
        raise SettingsError(f"--root-path {text}: not a path such as /mock")
    if own := next((one for one in served if path and f"{one}/".startswith(f"{path}/")), None):
        raise SettingsError(f"--root-path {text}: the mock's own path {own} begins with it; use another one")
    return path


def below_root_path(scope: Scope, root_path: str) -> Scope:
    """The scope of a request below a path prefix, which the proxy may have removed from its path."""
    path = scope["path"]
    if path == root_path:
        path = f"{root_path}/"
    elif not path.startswith(f"{root_path}/"):
        path = root_path + path
    return {**scope, "root_path": root_path, "path": path}
