"""The verb `compare`."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mock_server.cli.options import complete, fixtures_argument, provider_names
from mock_server.cli.provider_reply import named_provider

if TYPE_CHECKING:
    from mock_server.fetch.provider_call import ProviderReply
    from mock_server.providers.provider import FreeCall

_LEDGER = "docs/fidelity.md"
_MOST_SHOWN = 70  # characters of a body
_BEFORE_DIFFERENCE = 20  # characters of a body
_HEADINGS = ("call", f"row in {_LEDGER}", "real service", "mock")


@click.command()
@click.argument("provider", shell_complete=complete(partial(provider_names, only_real=True)))
@fixtures_argument
@click.option("--base-url", help="Another address than the provider's own.")
def command(provider: str, fixtures: Path | None, base_url: str | None) -> None:
    """Compare the real service of a provider with the mock.

    PROVIDER is vehicore or carsxe. Both get calls that are refused and cost nothing: without a key, with a wrong method
    or path and, if VEHICORE_API_KEY or CARSXE_API_KEY is set, without an image. FIXTURES is the directory that the mock
    serves. Exits with 1 if the replies differ.
    """
    from mock_server.server import MockServer

    _, service = named_provider(provider)
    base_url, key = base_url or service.base_url, os.environ.get(service.key_variable, "").strip() or None
    with MockServer(fixtures) as mock:
        mock_key = mock.create_account().key if key else None
        pairs = list(zip(service.free_calls(key), service.free_calls(mock_key), strict=True))
        click.echo(f"{len(pairs)} calls to {base_url}; they are refused and cost nothing", err=True)
        rows = [row for real, own in pairs for row in _differences(real, own, base_url, mock.url)]
    if key is None:
        click.echo(f"set {service.key_variable} to compare the calls that need a key, too", err=True)
    if rows:
        secrets = [secret for secret in (key, mock_key) if secret]
        for line in _table([_HEADINGS, *rows]):
            click.echo(_redacted(line, secrets))
        raise SystemExit(1)
    click.echo(f"{len(pairs)} calls, no difference")


def _differences(
    real: "FreeCall", own: "FreeCall", base_url: str, mock_url: str
) -> Iterator[tuple[str, str, str, str]]:
    theirs, ours = _send(real, base_url), _send(own, mock_url, is_mock=True)
    if _compared(real, theirs) != _compared(own, ours):
        texts = [" ".join(reply.body.decode("utf-8", "replace").split()) for reply in (theirs, ours)]
        start = _first_shown(*texts)
        yield real.name, real.row, _shown(theirs, texts[0], start), _shown(ours, texts[1], start)


def _send(call: "FreeCall", url: str, *, is_mock: bool = False) -> "ProviderReply":
    from mock_server.fetch.provider_call import call_provider

    return call_provider(
        url,
        call.path,
        method=call.method,
        query=call.query,
        headers=call.headers,
        json=call.json,
        files=call.files,
        uses_proxy=not is_mock,
    )


def _compared(call: "FreeCall", reply: "ProviderReply") -> Any:
    """The part of a reply that the provider documents."""
    if call.status_only:
        return reply.status
    document = reply.json
    if isinstance(document, dict):
        document = {name: value for name, value in document.items() if name not in call.undocumented}
    return reply.status, reply.media_type, document


def _first_shown(theirs: str, ours: str) -> int:
    """The first character to show, so that a difference far behind the beginning is seen."""
    pairs = enumerate(zip_longest(theirs, ours))
    first = next((place for place, (one, other) in pairs if one != other), 0)
    return first - _BEFORE_DIFFERENCE if first >= _MOST_SHOWN - _BEFORE_DIFFERENCE else 0


def _shown(reply: "ProviderReply", text: str, start: int) -> str:
    end = start + _MOST_SHOWN
    short = f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"
    return f"{reply.status} {reply.media_type or '-'} {short}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _redacted(line: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        line = line.replace(secret, "…")
    return line
