"""A call as the rehearsal counts it: what went over the wire, without the picture and without the key."""

import time

import xxhash

from mock_server.core.decision import Decision, Unmatched
from mock_server.core.journal import JournalEntry
from mock_server.core.model import NO_FAULT, ReadRequest
from mock_server.core.rehearsal import NO_KEY, ObservedCall
from mock_server.http.reply import Reply
from mock_server.providers.journal_entry import Answered
from mock_server.providers.provider import Call

_SAMPLE = 4096
"""Bytes at the start and at the end of a picture by which it is recognised. Hashing all of it takes too long."""
_RETRY_AFTER = b"retry-after"


def observed_call(
    entry: JournalEntry, call: Call, answered: Answered, *, now: float, seconds: float
) -> ObservedCall | None:
    """What the rehearsal needs of a call; None for one to no path of the provider.

    `now` is Unix time by the mock's clock, `seconds` the time to decide.
    """
    reply, request, decision = answered.reply, answered.request, answered.decision
    if request is None and (reply.status != 405 or answered.checked):
        return None
    plan = decision.plan if isinstance(decision, Decision) else NO_FAULT
    delay = plan.dribble.seconds if plan.dribble else plan.delay
    observed = ObservedCall(
        id=entry.id,
        key=entry.key_id or NO_KEY,
        provider=entry.provider,
        product=entry.product or "",
        outcome=entry.outcome,
        status=reply.status,
        time=now - seconds,
        real=time.time() - seconds,
        seconds=seconds + delay,
        delay=delay,
        fault=plan.fault,
        charged=entry.charged,
    )
    if reply.status >= 400:
        observed.retry_after = _header(reply, _RETRY_AFTER)
    if request is None:
        observed.picture = f"{entry.method} {entry.path}"
        return observed
    observed.picture, observed.name = _picture(request), entry.filename or entry.url
    observed.shapes = (*entry.aliases, *(f"further field {name}" for name in entry.fields))
    observed.undescribed = _undescribed(entry, decision)
    if call.body is None:
        observed.size = int(call.headers.get("content-length", "0"))
    elif request.image is not None:
        observed.size = len(request.image)
    if entry.image:
        observed.sha256 = entry.image.sha256
        if observed.size:
            observed.pixels = entry.image.width * entry.image.height
    return observed


def _picture(request: ReadRequest) -> str:
    """The same text for the same picture."""
    image = request.image
    if image is not None:
        sample = xxhash.xxh3_64(image[:_SAMPLE])
        sample.update(image[-_SAMPLE:])
        return f"{len(image)}-{sample.hexdigest()}"
    if request.url is not None:
        # Not the URL itself: it can contain credentials.
        return xxhash.xxh3_64_hexdigest(request.url.encode("utf-8", "surrogateescape"))
    return f"none: {request.problem.detail if request.problem else ''}"


def _undescribed(entry: JournalEntry, decision: Decision | Unmatched | None) -> str | None:
    """How a picture was answered that no scenario describes; None if one does."""
    if isinstance(decision, Unmatched):
        return "error"
    if decision is not None and decision.outcome.is_made_up:
        return "made_up"
    return entry.outcome if entry.query is not None else None


def _header(reply: Reply, wanted: bytes) -> str | None:
    return next((text.decode("latin-1") for name, text in reply.headers if name == wanted), None)
