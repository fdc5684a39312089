"""A call that has its reply, and what is recorded of it: the journal entry, and what the rehearsal counts."""

import time
from dataclasses import dataclass, field

import xxhash

from mock_server.core.decision import Decision, Unmatched
from mock_server.core.journal import JournalEntry
from mock_server.core.model import NO_FAULT, ReadRequest
from mock_server.core.rehearsal import NO_KEY, ObservedCall
from mock_server.core.store import Admission
from mock_server.http.reply import Reply
from mock_server.providers.journal_entry import Answered, journal_entry
from mock_server.providers.provider import Call

_SAMPLE = 4096
"""Bytes at the start and at the end of a picture by which it is recognised. Hashing all of it takes too long."""
_RETRY_AFTER = b"retry-after"


@dataclass(slots=True)
class FinishedCall:
    """A call to a provider, by its name, and the answer to it, for the time until it is recorded.

    `now` is Unix time by the mock's clock, `real` by the system's clock, `seconds` the time to decide. `picture` is the
    same for the same picture, `size` the bytes of an upload.
    """

    id: str
    provider: str
    call: Call
    answered: Answered
    now: float
    seconds: float
    real: float = field(default_factory=time.time)
    picture: str = ""
    size: int = 0
    _recorded: tuple[JournalEntry, ObservedCall | None] | None = None

    @property
    def admission(self) -> Admission | None:
        """The admission by which it still has to be charged, if it costs a unit."""
        decision = self.answered.decision
        return decision.cost.admission if isinstance(decision, Decision) and decision.cost else None

    @property
    def name_of_upload(self) -> str:
        """The name under which its upload is kept."""
        search = self.answered.decision.search if self.answered.decision else None
        return search.facts.sha256 if search else self.id

    def release_picture(self) -> None:
        """Keep neither the body nor the bytes of the picture any longer."""
        request = self.answered.request
        if self.call.body is None:
            self.size = int(self.call.headers.get("content-length", "0"))
        self.call.body = None
        if request is not None:
            self.picture = picture_name(request)
            if request.image is not None:
                self.size = len(request.image)
                request.image = None

    def answer_again(self, answered: Answered) -> None:
        """Replace the answer by another one to the same call."""
        self.answered, self._recorded = answered, None

    def recorded(self) -> tuple[JournalEntry, ObservedCall | None]:
        """The journal entry, and what the rehearsal counts: None for a call to no path of a provider."""
        if self._recorded is None:
            entry = journal_entry(self.id, self.provider, self.call, self.answered, now=self.now, seconds=self.seconds)
            self._recorded = entry, observed_call(self, entry)
        return self._recorded


def observed_call(finished: FinishedCall, entry: JournalEntry) -> ObservedCall | None:
    """What the rehearsal needs of a call, without the picture and the key; None for one to no path of the provider."""
    reply, request, decision = finished.answered.reply, finished.answered.request, finished.answered.decision
    if request is None and (reply.status != 405 or finished.answered.checked):
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
        time=finished.now - finished.seconds,
        real=finished.real - finished.seconds,
        seconds=finished.seconds + delay,
        delay=delay,
        fault=plan.fault,
        charged=entry.charged,
    )
    if reply.status >= 400:
        observed.retry_after = _header(reply, _RETRY_AFTER)
    if request is None:
        observed.picture = f"{entry.method} {entry.path}"
        return observed
    observed.picture, observed.size, observed.name = finished.picture, finished.size, entry.filename or entry.url
    observed.shapes = (*entry.aliases, *(f"further field {name}" for name in entry.fields))
    observed.undescribed = _undescribed(entry, decision)
    if entry.image:
        observed.sha256 = entry.image.sha256
        if observed.size:
            observed.pixels = entry.image.width * entry.image.height
    return observed


def picture_name(request: ReadRequest) -> str:
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
