"""Replies that a scenario writes out, and what it changes in the provider's: headers, and fields of the JSON."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from mock_server.core import field_types as types
from mock_server.core.field_types import Written, described, expected, invalid
from mock_server.suggest import quoted

_PATH = r"[^.]+(\.[^.]+)*"
_JSON_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?"
_JSON_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None}
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
"""The whole numbers that replies can have. Others become fractions."""
_MOST_DIGITS = 20
_WITHOUT_BODY = (204, 304)


class PlainScalar(str):
    """A scalar of a YAML file without quotes: the only kind that may be a number, true, false or null."""

    __slots__ = ()


def _path(value: object) -> str:
    text = types.scalar_text(value)
    if text is None or not re.fullmatch(_PATH, text):
        raise expected("the path of a field, such as results.box.ymax")
    return text


def _json_value(value: object) -> Any:
    """A value for JSON. Without quotes in YAML, numbers, true, false and null have their JSON types."""
    if isinstance(value, dict):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if not isinstance(value, PlainScalar):
        return value
    text = str(value)
    if text in _JSON_WORDS:
        return _JSON_WORDS[text]
    number = re.fullmatch(_JSON_NUMBER, text)
    if not number:
        return text
    is_whole = not (number[2] or number[3]) and len(text) <= _MOST_DIGITS
    return int(text) if is_whole and _LOWEST <= int(text) <= _HIGHEST else float(text)


_PATH_PATTERN: types.JsonSchema = {"pattern": f"^{_PATH}$"}
FieldPath = Annotated[str, types.Scalar(_path, types.FREE_TEXT | _PATH_PATTERN)]
FieldPaths = Annotated[tuple[FieldPath, ...], types.one_or_many("the path of a field", can_be_empty=True)]


def _mapping(names: types.JsonSchema, values: Any, check: Callable[[dict[str, Any]], Any] = dict) -> types.Changed:
    """The annotation of a field that is a mapping of names to values."""
    return types.Changed(
        after=check, schema=lambda mapping: {"default": {}, "propertyNames": names} | mapping, written_as=values
    )


AddedFields = Annotated[
    Mapping[str, Any], _mapping(_PATH_PATTERN, dict[FieldPath, Annotated[Any, types.Scalar(_json_value, {})]])
]

_HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_FRAMING = ("content-length", "transfer-encoding")


def _headers(headers: dict[str, str]) -> dict[str, str]:
    """Refuse names and values that are not valid in HTTP, and names that differ only in case."""
    seen: set[str] = set()
    for name, value in headers.items():
        if not re.fullmatch(_HEADER_NAME, name):
            raise invalid(f"{quoted(name)} is not a valid name of an HTTP header")
        if name.lower() in seen:
            raise invalid(f"the header {quoted(name)} is given twice", "the case of header names does not matter")
        if not value.isprintable() or not value.isascii():
            raise invalid(f"the header {quoted(name)} contains characters that are not allowed in HTTP headers")
        seen.add(name.lower())
    return headers


def _reply_headers(headers: dict[str, str]) -> dict[str, str]:
    """Refuse the headers that describe how the body is sent."""
    for name in _headers(headers):
        if name.lower() in _FRAMING:
            raise invalid(f"the header {quoted(name)} is set by the server", "a fault breaks the reply")
    return headers


def _request_headers(headers: dict[str, str]) -> dict[str, str]:
    # Requests have their header names in lower case.
    return {name.lower(): value for name, value in _headers(headers).items()}


_NAMES: types.JsonSchema = {"pattern": f"^{_HEADER_NAME}$"}
_REPLY_NAMES: types.JsonSchema = {**_NAMES, "not": {"pattern": types.any_case(_FRAMING)}}
Headers = Annotated[Mapping[str, str], _mapping(_NAMES, dict[str, types.AnyText], _request_headers)]
ReplyHeaders = Annotated[Mapping[str, str], _mapping(_REPLY_NAMES, dict[str, types.AnyText], _reply_headers)]

NO_ENTRIES: Mapping[str, Any] = {}
"""One empty mapping for all, because nearly every scenario has three of them."""

_Body = Annotated[bytes, types.Changed(after=lambda text: text.encode("utf-8", "replace"), written_as=types.AnyText)]


@dataclass(frozen=True, slots=True)
class WrittenReply(Written):
    """A reply that is not the provider's."""

    # For example a gateway's error page. The content of `body_file` is read when the whole directory is loaded.
    status: Annotated[int, types.whole_number(200, 599)] = described("The HTTP status.", 200)
    headers: ReplyHeaders = described("The headers of the reply. No other header describes the body.", NO_ENTRIES)
    body: _Body = described("The body, as text.", b"")
    body_file: types.OptionalText = described("A file with the body: a path relative to this file.", None)

    @classmethod
    def read(cls, mapping: Any, build: Callable[[Any], Self]) -> Self:
        reply = build(mapping)
        if {"body", "body_file"} <= mapping.keys():
            raise invalid('both "body" and "body_file"', "keep one of them")
        if reply.status in _WITHOUT_BODY and (reply.body or reply.body_file):
            raise invalid(f"a reply with the status {reply.status} has no body", 'leave "body" out')
        return reply

    @property
    def text(self) -> str | None:
        """The body as text; None if it is not text."""
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            return None


Reply = Annotated[WrittenReply, types.one_word("status", schema=types.whole_number(200, 599).schema)]
