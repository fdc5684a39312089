"""What the journal keeps of one call."""

from dataclasses import replace

from mock_server.core.decision import PICTURE_OUTCOMES, Decision, Unmatched
from mock_server.core.journal import Exchange, NearestPicture, PictureRecord, key_id, redacted
from mock_server.core.matching import Query
from mock_server.core.model import OutcomeName, ReadRequest
from mock_server.http.reply import Reply
from mock_server.imaging.results import SearchResult
from mock_server.providers.provider import Call, Provider

_LONGEST_REPLY = 4096
_LONGEST_TEXT = 512
_SOURCE = "source "
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})


def refused(
    request_id: str, provider: Provider, call: Call, reply: Reply, *, now: float, seconds: float
) -> Exchange:
    """The exchange of a call that is no request to read a picture."""
    client = call.headers.get("user-agent")
    return Exchange(
        id=request_id,
        time=now,
        provider=provider.name,
        product=None,
        method=call.method,
        path=call.path[:_LONGEST_TEXT],
        status=reply.status,
        milliseconds=round(seconds * 1000, 3),
        client=client[:_LONGEST_TEXT] if client else None,
        # A copy: the serialiser's own bytes take up kilobytes, however short they are.
        reply=memoryview(reply.body)[:_LONGEST_REPLY].tobytes(),
    )


def decided(exchange: Exchange, request: ReadRequest, decision: Decision | Unmatched | None) -> Exchange:
    """The same with the request and the decision: without the key, without the picture's bytes."""
    exchange.product = request.product.value
    if request.key:
        exchange.key = redacted(request.key)
        exchange.key_id = key_id(request.key)
    _note(exchange, request.notes)
    exchange.filename = request.filename[:_LONGEST_TEXT] if request.filename else None
    exchange.url = _without_secrets(request.url) if request.url else None
    exchange.language = request.language
    if isinstance(decision, Decision):
        exchange.outcome = decision.outcome.name
        exchange.scenario = decision.scenario
        exchange.match = decision.match
        exchange.charged = decision.charged
        exchange.fault = decision.plan.fault.value if decision.plan.fault else None
        exchange.delay = decision.plan.delay
        exchange.detail = decision.outcome.detail
    if decision is not None:
        search = decision.search
        exchange.account = decision.account
        exchange.forced = decision.forced
        exchange.notes = decision.notes
        exchange.picture = _picture(search) if search else None
        if _matches_no_scenario(request, decision):
            exchange.asked = Query(_without_picture(request), decision.account or "", search)
            exchange.nearest = _nearest(search) if search else ()
    return exchange


def _note(exchange: Exchange, notes: tuple[str, ...]) -> None:
    if not notes:
        return
    source = next((note for note in notes if note.startswith(_SOURCE)), None)
    exchange.source = source.removeprefix(_SOURCE)[:_LONGEST_TEXT] if source else None
    exchange.aliases = tuple(note for note in notes if note is not source)


def _matches_no_scenario(request: ReadRequest, decision: Decision | Unmatched) -> bool:
    """Whether the scenarios were searched and none matched. Refused accounts and broken pictures do not count."""
    if decision.forced or request.problem or decision.account is None:
        return False
    if isinstance(decision, Unmatched):
        return True
    if decision.scenario:
        return False
    if decision.outcome.name in PICTURE_OUTCOMES:
        return True
    # The URL could still match a scenario, even if it is not fetched.
    return decision.outcome.name is OutcomeName.INVALID_IMAGE and request.url is not None


def _without_picture(request: ReadRequest) -> ReadRequest:
    headers = {name: value for name, value in request.headers.items() if name not in _SECRET_HEADERS}
    return replace(request, image=None, headers=headers)


def _without_secrets(url: str) -> str:
    # Signed URLs carry credentials in their query, and some in the authority.
    scheme, _, rest = url.partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"[:_LONGEST_TEXT]


def _picture(search: SearchResult) -> PictureRecord:
    facts = search.facts
    return PictureRecord(facts.sha256, facts.format, facts.width, facts.height, facts.byte_count)


def _nearest(search: SearchResult) -> tuple[NearestPicture, ...]:
    return tuple(
        NearestPicture(
            near.id,
            near.score,
            near.limit,
            near.reason,
            (near.region.xmin, near.region.ymin, near.region.xmax, near.region.ymax) if near.region else None,
        )
        for near in search.near_misses
    )
