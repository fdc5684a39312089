"""Whether a server answers, and at which address. Imports little, because containers ask every few seconds.

The import of pathlib alone would take 10 ms, and the check takes 28.
"""

import os
import socket
from io import FileIO

# In a container the server is process 1.
CONTAINER_PROCESS = "/proc/1"
_COMMANDS = ("vehicle-ocr-mock", "container", "mock_server")


def is_healthy() -> bool:
    """Whether a server answers at its address. False also if the address is not certain without the settings."""
    address = certain_address()
    if address is None:
        return False
    try:
        return status_line(*address, timeout=3).split()[1:2] == [b"200"]
    except OSError:
        return False


def status_line(host: str, port: int, timeout: float) -> bytes:
    """The first line of the answer, at most 1 KiB. `timeout` is in seconds. Raises OSError."""
    # Importing an HTTP client would take longer than the rest of the check.
    with socket.create_connection((host, port), timeout=timeout) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as answer:
            return answer.readline(1024).rstrip()


def container_process() -> tuple[list[str], dict[str, str]]:
    """The arguments and the environment of the server in this container; both empty outside of a container."""
    try:
        words, variables = (_texts(f"{CONTAINER_PROCESS}/{name}") for name in ("cmdline", "environ"))
    except (OSError, UnicodeDecodeError):
        return [], {}
    programs = {word.rpartition("/")[2] for word in words}
    if "serve" not in words or programs.isdisjoint(_COMMANDS):
        return [], {}
    return words[words.index("serve") + 1 :], dict(variable.partition("=")[::2] for variable in variables)


def certain_address() -> tuple[str, int] | None:
    """Host and port by the options of process 1 and by the environment. None if mock.yaml may have them."""
    words, environ = container_process()
    environ |= os.environ
    host, port = (_option(words, name) or environ.get(f"VEHICLE_OCR_MOCK_{name.upper()}") for name in ("host", "port"))
    directories = [*words, environ.get("VEHICLE_OCR_MOCK_FIXTURES"), "fixtures"]
    if not (host and port) and any(map(_may_have_an_address, filter(None, directories))):
        return None
    # Kubernetes sets such a variable to tcp://… for a Service. A connection to 0.0.0.0 goes to this machine on Linux;
    # where it fails, the settings know better.
    return (host or "127.0.0.1", int(port or 8080)) if (port or "0").isdecimal() else None


def _option(words: list[str], name: str) -> str | None:
    """The value of an option that is written as two words or as one."""
    value = None
    for word, following in zip(words, [*words[1:], ""], strict=False):
        flag, sign, rest = word.partition("=")
        if flag == f"--{name}":
            value = rest if sign else following
    return value


def _may_have_an_address(directory: str) -> bool:
    try:
        text = _content(f"{directory}/mock.yaml")
    except (OSError, ValueError):
        return False
    return b"host" in text or b"port" in text


def _texts(path: str) -> list[str]:
    return _content(path).decode().split("\0")[:-1]


def _content(path: str) -> bytes:
    with FileIO(path) as file:
        return file.readall()
