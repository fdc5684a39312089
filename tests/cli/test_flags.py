"""The short way to read the flags of `serve` says what the long way says, or leaves it to that."""

from typing import Any

import pytest
import typer

from mock_server.cli import serve
from mock_server.cli.flags import plain_flags


def long_way(arguments: list[str]) -> dict[str, Any]:
    """What the library that also words help and mistakes makes of the same arguments."""
    app = typer.Typer(add_completion=False)
    app.command("serve")(serve.command)
    values = typer.main.get_command(app).make_context("serve", list(arguments)).params
    values["fetch"] = ",".join(values["fetch"] or ()) or None
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "fixtures",
        "--port 0",
        "--port=0 dir --host=0.0.0.0",
        "--tls --tls-port 0 --tls-names a.test,b.test",
        "--no-tls --no-watch --no-cache --no-mock-headers --no-forcing --no-strict",
        "--tls --no-tls",
        "--fetch local --fetch *.test",
        "--fetch=any",
        "--hints",
        "--admin-token=--odd",
        "--admin-token=a=b",
        "--host= --state=redis://127.0.0.1:1/0 --workers 2",
        "--port 1 --port 2",
        "--journal-size 5 --journal-bytes 5 --max-body 5 --max-pixels 5 --seed 7",
        "--log-format json --log-level debug --unmatched error",
    ],
)
def test_plain_flags_mean_the_same_both_ways(arguments: str) -> None:
    """Every flag, switch and repetition is read alike."""
    words = arguments.split()
    plain = plain_flags(words)

    assert plain is not None
    assert {"hints": False, **plain} == long_way(words)


@pytest.mark.parametrize(
    "arguments",
    [
        "--help",
        "-h",
        "--",
        "--port",
        "--port x",
        "--port -1",
        "--port --tls",
        "--tls=yes",
        "--no-port",
        "--no-hints",
        "--tls_port 1",
        "--fixtures x",
        "--por 1",
        "---port 1",
        "a b",
        "--nonsense",
    ],
)
def test_the_rest_is_left_to_the_long_way(arguments: str) -> None:
    """Help and whatever may be a mistake is not judged here."""
    assert plain_flags(arguments.split()) is None
