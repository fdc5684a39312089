"""The replies that a provider documents for a product, as its own data and its own rendering give them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from mock_server.core.model import REPLY, OutcomeName, Product, ReadRequest
from mock_server.http.reply import Reply
from mock_server.providers.provider import Provider

_MOST_LABEL = 100

Pair = tuple[str, str | None]
"""An outcome and its variant."""


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One reply that clients can tell from all others. `pairs` are what gives it, the most usual first."""

    status: int
    label: str
    pairs: tuple[Pair, ...]


def contract_rows(provider: Provider, product: Product) -> Sequence[ContractRow]:
    """Every documented reply: outcomes and variants that the provider renders alike are one."""
    rows: dict[tuple[int, bytes], list[Pair]] = {}
    replies: dict[tuple[int, bytes], Reply] = {}
    request = ReadRequest(provider.name, product, "demo-key", filename="car.jpg")
    for outcome in provider.sample_outcomes():
        if outcome.name is OutcomeName.NO_TEXT and product is Product.PLATE:
            # Plate recognition does not distinguish a picture without text from one without a plate.
            continue
        reply = provider.render(outcome, request)
        sort = reply.status, reply.body
        rows.setdefault(sort, []).append((outcome.name.value, outcome.variant))
        replies.setdefault(sort, reply)
    by_status = provider.traits.statuses.get(product, {})
    found = [
        ContractRow(sort[0], _label(replies[sort]), tuple(_usual_first(pairs, by_status.get(sort[0]))))
        for sort, pairs in rows.items()
    ]
    return sorted(found, key=lambda row: row.status)


def row_of(rows: Sequence[ContractRow], outcome: str, variant: str | None, status: int) -> ContractRow | None:
    """The row of an answer. A variant that the provider does not list counts as the outcome with the same status."""
    if outcome == REPLY:
        return None
    exact = (row for row in rows if (outcome, variant) in row.pairs)
    near = (row for row in rows if row.status == status and any(name == outcome for name, _ in row.pairs))
    return next(exact, None) or next(near, None)


def _usual_first(pairs: Sequence[Pair], usual: OutcomeName | None) -> Iterator[Pair]:
    yield from (pair for pair in pairs if pair[0] == usual)
    yield from (pair for pair in pairs if pair[0] != usual)


def _label(reply: Reply) -> str:
    """The status and the code in the body, or else its longest text, or else the usual phrase for the status."""
    body = orjson.loads(reply.body)
    top = body.values() if isinstance(body, dict) else ()
    texts = [text for text in top if isinstance(text, str)]
    if reply.status >= 400:
        texts = texts or list(_texts(body))
        code = next((text for text in texts if text.isupper() and " " not in text), None)
    else:
        # What is read is no name for a reply.
        texts, code = [text for text in texts if " " in text], None
    text = code or max(texts, key=len, default="") or HTTPStatus(reply.status).phrase
    return f"{reply.status} {text if len(text) <= _MOST_LABEL else text[: _MOST_LABEL - 1] + '…'}"


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(part)
