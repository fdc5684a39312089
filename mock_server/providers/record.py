"""What the journal keeps of one call."""

from dataclasses import replace

from mock_server.core.journal import Exchange, NearMissFacts, PictureRecord, key_id, redacted
from mock_server.core.model import ReadRequest
from mock_server.core.reader import Decision
from mock_server.http.reply import Reply
from mock_server.imaging.index import Search
from mock_server.providers.base import Call, Provider

_LONGEST_REPLY = 4096
_LONGEST_TEXT = 512


def refused(
    request_id: str, provider: Provider, call: Call, reply: Reply, *, now: float, seconds: float
) -> Exchange:
    """The exchange of a call that is no request to read a picture."""
    return Exchange(
        id=request_id,
        time=now,
        provider=provider.traits.name,
        product=None,
        method=call.method,
        path=call.path[:_LONGEST_TEXT],
        status=reply.status,
        milliseconds=round(seconds * 1000, 3),
        client=call.headers.get("user-agent", "")[:_LONGEST_TEXT] or None,
        reply=reply.body[:_LONGEST_REPLY],
    )


def decided(exchange: Exchange, request: ReadRequest, decision: Decision) -> Exchange:
    """The same with what was asked and decided: without the key, without the picture's bytes."""
    plan, search = decision.plan, decision.search
    return replace(
        exchange,
        product=request.product.value,
        key=redacted(request.key) if request.key else None,
        key_id=key_id(request.key) if request.key else None,
        account=decision.account,
        outcome=decision.outcome.name if decision.decided else None,
        scenario=decision.scenario,
        match=decision.match,
        charged=decision.charged,
        forced=decision.forced,
        fault=plan.fault.value if plan.fault else None,
        delay=plan.delay,
        detail=decision.outcome.detail,
        notes=request.notes + decision.notes,
        filename=request.filename[:_LONGEST_TEXT] if request.filename else None,
        url=_without_secrets(request.url) if request.url else None,
        language=request.language,
        picture=_picture(search) if search else None,
        nearest=_nearest(search) if search and decision.scenario is None else (),
    )


def _without_secrets(url: str) -> str:
    # Signed URLs carry credentials in their query, and some in the authority.
    scheme, _, rest = url.partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"[:_LONGEST_TEXT]


def _picture(search: Search) -> PictureRecord:
    facts = search.facts
    return PictureRecord(facts.sha256, facts.format, facts.width, facts.height, facts.byte_count)


def _nearest(search: Search) -> tuple[NearMissFacts, ...]:
    return tuple(
        NearMissFacts(
            near.id,
            near.score,
            near.limit,
            near.reason,
            (near.region.xmin, near.region.ymin, near.region.xmax, near.region.ymax) if near.region else None,
        )
        for near in search.nearest
    )
