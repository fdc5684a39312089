"""The reply to an outcome: what a scenario writes out, or what the provider renders, with changed fields."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import orjson

from mock_server.core.model import Outcome, ReadRequest
from mock_server.core.written_reply import WrittenReply
from mock_server.http.reply import Reply
from mock_server.providers.provider import Provider


def reply_to(outcome: Outcome, request: ReadRequest, provider: Provider) -> Reply:
    """The complete reply to a request."""
    if outcome.reply is not None:
        return _written(outcome.reply)
    reply = provider.render(outcome, request)
    return _edited(reply, outcome) if outcome.omit or outcome.add else reply


def _written(reply: WrittenReply) -> Reply:
    headers = tuple((name.lower().encode(), text.encode()) for name, text in reply.headers.items())
    return Reply(reply.status, headers, reply.body)


def _edited(reply: Reply, outcome: Outcome) -> Reply:
    """The reply with changed fields. A body that is not a JSON object has none."""
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return reply
    for path in outcome.omit:
        *parents, name = path.split(".")
        for found in _objects(body, parents):
            found.pop(name, None)
    for path, value in outcome.add.items():
        _add(body, path.split("."), value)
    return replace(reply, body=orjson.dumps(body))


def _objects(value: Any, path: list[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects at a path. Every item of a list is one of its ends."""
    if isinstance(value, list):
        for item in value:
            yield from _objects(item, path)
    elif isinstance(value, dict):
        if not path:
            yield value
        elif path[0] in value:
            yield from _objects(value[path[0]], path[1:])


def _add(target: Any, path: list[str], value: Any) -> None:
    """Add a value at a path. Objects that are missing on the way are made; nothing that exists is replaced."""
    for found in _objects(target, []):
        name, *rest = path
        if rest:
            _add(found.setdefault(name, {}), rest, value)
        elif isinstance(value, Mapping):
            inside = found.setdefault(name, {})
            for key, inner in value.items():
                _add(inside, [key], inner)
        else:
            # The scenario keeps its own value, because a later path may lead into it.
            found.setdefault(name, deepcopy(value))
