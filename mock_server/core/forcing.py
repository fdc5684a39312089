"""Forcing: a client chooses the result by the `Prefer` header (RFC 7240), or by a token in a file name or image URL.

`Prefer` wins over the file name, and the file name over the URL. Unknown preferences are ignored, as the RFC requires.
A scenario, an outcome or a status that does not exist is an error, because it is probably a typing mistake. An unknown
token is ignored, because a file name may contain `mock-` by chance.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mock_server.core.model import Fault, OutcomeName, ReadRequest
from mock_server.core.scenario import Scenario
from mock_server.errors import UnknownPreferenceError
from mock_server.suggest import nearest

_PREFERENCE = r'\s*([!#$%&\'*+.^_`|~\w-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?'
_TOKEN = re.compile(r"mock-([a-z0-9_-]{1,200})", re.IGNORECASE)
_MAX_PREFER = 4096
"""Characters of the `Prefer` header that are read."""
_OUTCOMES = frozenset(OutcomeName)


@dataclass(frozen=True, slots=True)
class ForcedResult:
    """What decides in place of the scenarios that match: an override, the name of a scenario, an outcome or a fault.

    `by` is the text in the journal: the header or token of the client, or `chaos`; empty for an override. `status` is
    set if the client forces an HTTP status: the reply to the outcome must then have that status.
    """

    by: str = ""
    scenario: str | None = None
    outcome: OutcomeName | None = None
    status: int | None = None
    fault: Fault | None = None
    override: Scenario | None = None


def find(request: ReadRequest, scenarios: Collection[str], statuses: Mapping[int, OutcomeName]) -> ForcedResult | None:
    """The result that the client forces, if it forces one. Raises UnknownPreferenceError.

    `statuses` are the HTTP statuses of the provider's replies.
    """
    if preferences := request.headers.get("prefer"):
        forced = _by_preferences(preferences[:_MAX_PREFER], scenarios, statuses)
        if forced:
            return forced
    for text, by in ((request.filename, "filename"), (request.url, "url")):
        if text and (forced := _by_token(text, by, scenarios)):
            return forced
    return None


def parse_preferences(value: str) -> dict[str, str]:
    """The preferences of a `Prefer` header, with names in lower case. The first of two with the same name counts."""
    found: dict[str, str] = {}
    for part in _split(value):
        if match := re.match(_PREFERENCE, part):
            quoted = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
            found.setdefault(match[1].lower(), quoted or "")
    return found


def _split(value: str) -> list[str]:
    # A comma inside a quoted string is not a separator.
    return re.findall(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"?)+', value)


def _by_preferences(value: str, scenarios: Collection[str], statuses: Mapping[int, OutcomeName]) -> ForcedResult | None:
    preferences = parse_preferences(value)
    if name := preferences.get("scenario"):
        if name not in scenarios:
            raise UnknownPreferenceError("scenario", name, nearest(name, scenarios))
        return ForcedResult(f"prefer scenario={name}", scenario=name)
    if name := preferences.get("outcome"):
        if name not in _OUTCOMES:
            raise UnknownPreferenceError("outcome", name, nearest(name, _OUTCOMES))
        return ForcedResult(f"prefer outcome={name}", outcome=OutcomeName(name))
    if code := preferences.get("code"):
        outcome = statuses.get(int(code)) if re.fullmatch(r"[0-9]{3}", code) else None
        if outcome is None:
            raise UnknownPreferenceError("code", code, nearest(code, map(str, sorted(statuses))))
        return ForcedResult(f"prefer code={code}", outcome=outcome, status=int(code))
    return None


def _by_token(text: str, by: str, scenarios: Collection[str]) -> ForcedResult | None:
    for token in _TOKEN.findall(text):
        # The rest of the file name may follow ("mock-read-2.jpg"), so the longest existing name counts.
        for end in range(len(token), 0, -1):
            name = token[:end].lower()
            if end < len(token) and token[end] not in "-_":
                continue
            if name in scenarios:
                return ForcedResult(f"{by} token", scenario=name)
            if name in _OUTCOMES:
                return ForcedResult(f"{by} token", outcome=OutcomeName(name))
    return None
