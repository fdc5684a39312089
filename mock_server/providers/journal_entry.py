"""The journal entry of one call: without the API key, the picture's bytes or other secrets."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from mock_server.core.account import Account
from mock_server.core.conditions import Query
from mock_server.core.decision import Decision, Unmatched
from mock_server.core.exchange import Nearest, Picture, region_of
from mock_server.core.journal import JournalEntry
from mock_server.core.model import PICTURE_OUTCOMES, Outcome, OutcomeName, ReadRequest
from mock_server.core.reading import Reading
from mock_server.core.redaction import key_id, redacted, redacted_headers, redacted_url, without_keys, without_secrets
from mock_server.http.reply import Reply
from mock_server.imaging.results import PictureFacts, SearchResult
from mock_server.providers.provider import Call

_MAX_BODY = 4096
_MAX_TEXT = 512
_MAX_NAME = 80
_MAX_FIELDS = 20
_SOURCE = "source "


@dataclass(slots=True)
class Answered:
    """The reply to a call, and what the mock knows about it.

    `detail` is the reason for the reply, beyond its text. `request` is set if a picture was to be read; `decision` then
    is None if the request forces something that does not exist. `checked` is set for a call that checks a key: the key,
    and its account or the outcome that refuses it (None if the call itself was refused).
    """

    reply: Reply
    detail: str | None = None
    request: ReadRequest | None = None
    decision: Decision | Unmatched | None = None
    checked: tuple[str | None, Account | Outcome | None] | None = None


def journal_entry(
    request_id: str, provider: str, call: Call, answered: Answered, *, now: float, seconds: float
) -> JournalEntry:
    """The entry of a call to a provider, by its name. `now` is Unix time, `seconds` the time to decide."""
    reply, request = answered.reply, answered.request
    entry = JournalEntry(
        id=request_id,
        time=datetime.fromtimestamp(now, UTC),
        provider=provider,
        method=call.method[:_MAX_TEXT],
        path=without_keys(call.path[:_MAX_TEXT]),
        status=reply.status,
        milliseconds=round(seconds * 1000, 3),
        client=_cut(call.headers.get("user-agent")),
        detail=_cut(answered.detail),
        # A copy: the buffer that the JSON library returns holds kilobytes, however short the body is.
        body=memoryview(reply.body)[:_MAX_BODY].tobytes(),
    )
    if request:
        _add_request(entry, request)
        if answered.decision:
            _add_decision(entry, request, answered.decision)
    elif answered.checked:
        _add_key_check(entry, call, *answered.checked)
    return entry


def _add_key_check(entry: JournalEntry, call: Call, key: str | None, check: Account | Outcome | None) -> None:
    if key:
        entry.key, entry.key_id = redacted(key), key_id(key)
    entry.aliases = (f"path {call.alias}",) if call.alias else ()
    entry.headers = redacted_headers(call.headers, key, max_length=_MAX_TEXT)
    if isinstance(check, Account):
        entry.account = check.name
    elif check:
        entry.outcome = check.name


def _add_request(entry: JournalEntry, request: ReadRequest) -> None:
    entry.product = request.product
    if request.key:
        entry.key, entry.key_id = redacted(request.key), key_id(request.key)
    if request.notes:
        source = next((note for note in request.notes if note.startswith(_SOURCE)), None)
        entry.source = _cut(source.removeprefix(_SOURCE)) if source else None
        entry.aliases = tuple(note[:_MAX_TEXT] for note in request.notes if note is not source)
    entry.filename = _cut(request.filename)
    entry.url = redacted_url(request.url)[:_MAX_TEXT] if request.url else None
    entry.language = _cut(request.language)
    entry.headers = redacted_headers(request.headers, request.key, max_length=_MAX_TEXT)
    if request.fields:
        entry.fields = tuple(sorted(name[:_MAX_NAME] for name in request.fields[:_MAX_FIELDS]))


def _add_decision(entry: JournalEntry, request: ReadRequest, decision: Decision | Unmatched) -> None:
    search = decision.search
    entry.account, entry.notes = decision.account, decision.notes
    if search:
        entry.image = _picture(search.facts)
    if isinstance(decision, Decision):
        outcome, plan = decision.outcome, decision.plan
        entry.outcome, entry.text = outcome.label, _text(outcome.reading)
        if outcome.reply is None:
            entry.variant = outcome.variant
        entry.scenario, entry.match, entry.charged = decision.scenario, decision.match, decision.charged
        entry.fault, entry.delay, entry.losers = plan.fault, plan.delay, decision.losers
        entry.forced = _cut(decision.forced)
    if _matches_no_scenario(request, decision):
        entry.query = Query(_to_keep(request), decision.account or "", search)
        entry.nearest = _nearest(search) if search else ()


def _matches_no_scenario(request: ReadRequest, decision: Decision | Unmatched) -> bool:
    """Whether the scenarios were searched and none matched. Refused accounts and broken pictures do not count."""
    if isinstance(decision, Unmatched):
        return True
    if decision.forced or request.problem or decision.account is None or decision.scenario:
        return False
    if decision.outcome.name in PICTURE_OUTCOMES:
        return True
    # The URL could still match a scenario, even if it is not fetched.
    return decision.outcome.name is OutcomeName.INVALID_IMAGE and request.url is not None


def _to_keep(request: ReadRequest) -> ReadRequest:
    """What near misses are found by. The entry outlives the connection, and goes to other processes."""
    headers = without_secrets(request.headers, request.key)
    return replace(request, image=None, headers=headers, fields=(), notes=(), client=None)


@lru_cache(maxsize=1024)
def _picture(facts: PictureFacts) -> Picture:
    return Picture(facts.sha256, facts.format, facts.width, facts.height, facts.byte_count)


def _text(reading: Reading | None) -> str | None:
    if reading is None:
        return None
    texts = [plate.text for plate in reading.plates]
    texts += [text for text in (reading.vin.text if reading.vin else None, reading.text) if text]
    return _cut(", ".join(texts))


def _cut(text: str | None) -> str | None:
    return text[:_MAX_TEXT] if text else None


def _nearest(search: SearchResult) -> tuple[Nearest, ...]:
    return tuple(
        Nearest(near.id, round(near.score, 4), near.limit, near.reason, region_of(near.region))
        for near in search.near_misses
    )
