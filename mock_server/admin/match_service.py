"""What would be answered to a picture, and why. Nothing is spent, counted or written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mock_server.admin.exchange_document import near_miss_document
from mock_server.core.account import Account
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.decision import Decision, Unmatched
from mock_server.core.dry_run import DryRunStore
from mock_server.core.matching import Query
from mock_server.core.model import MatchKind, Product, ReadRequest
from mock_server.core.near_misses import near_misses
from mock_server.core.pictures import Pictures
from mock_server.core.reader import Reader
from mock_server.core.store import Store
from mock_server.imaging.results import ImageMatch, SearchResult
from mock_server.providers.provider import Provider

GUEST = Account("guest", "guest")
"""Who asks where no key is given: an account without limits."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a client would send."""

    provider: str
    product: Product
    image: bytes | memoryview | None = None
    key: str | None = None
    url: str | None = None
    filename: str | None = None
    language: str = "en"
    headers: Mapping[str, str] = field(default_factory=dict)


class TrialControl:
    """Asks a reader of its own, which sees the real library, accounts and counts and changes none of them."""

    def __init__(
        self, reader: Reader, store: Store, clock: Clock, pictures: Pictures, providers: Sequence[Provider]
    ) -> None:
        self._real = reader
        self._store = store
        self._clock = clock
        self._pictures = pictures
        self.providers = {provider.name: provider for provider in providers}

    async def match(self, question: Question) -> dict[str, Any]:
        """What would be answered, as a document. Raises UnknownPreferenceError."""
        store = DryRunStore(self._store, guest=None if question.key else GUEST)
        reader = Reader(
            self._real.library,
            accounts=Accounts(store, self._clock),
            store=store,
            pictures=self._pictures,
            policy=self._real.policy,
        )
        provider = self.providers[question.provider]
        request = ReadRequest(
            question.provider,
            question.product,
            question.key or GUEST.key,
            image=question.image,
            url=question.url,
            filename=question.filename,
            language=question.language,
            headers=question.headers,
            received_at=self._clock.now(),
        )
        decision = await reader.read(request, provider.traits)
        query = Query(request, decision.account or "", decision.search)
        has_scenario = isinstance(decision, Decision) and decision.scenario
        missed = [] if has_scenario else near_misses(query, reader.library.scenarios)
        return {
            **_decision(decision, provider, request),
            "account": decision.account if question.key else None,
            "forced": decision.forced,
            "image": _image(decision.search) if decision.search else None,
            "pictures": [_picture(match) for match in decision.search.matches] if decision.search else [],
            "nearMisses": [near_miss_document(miss) for miss in missed],
        }


def _decision(decision: Decision | Unmatched, provider: Provider, request: ReadRequest) -> dict[str, Any]:
    if isinstance(decision, Unmatched):
        return {
            "scenario": None,
            "match": MatchKind.NONE.value,
            "outcome": None,
            "charged": 0,
            "detail": None,
            "delay": 0.0,
            "fault": None,
            "status": 501,
            "reply": None,
        }
    reply = provider.render(decision.outcome, request)
    return {
        "scenario": decision.scenario,
        "match": decision.match.value,
        "outcome": decision.outcome.name.value,
        "charged": decision.charged,
        "detail": decision.outcome.detail,
        "delay": decision.plan.delay,
        "fault": decision.plan.fault.value if decision.plan.fault else None,
        "status": reply.status,
        "reply": orjson.loads(reply.body),
    }


def _image(search: SearchResult) -> dict[str, Any]:
    facts = search.facts
    return {
        "sha256": facts.sha256,
        "format": facts.format,
        "width": facts.width,
        "height": facts.height,
        "bytes": facts.byte_count,
        "blank": facts.blank,
        "sharpness": round(facts.sharpness, 1),
    }


def _picture(found: ImageMatch) -> dict[str, Any]:
    return {
        "image": found.id,
        "match": found.method,
        "distance": round(found.score, 4),
        "limit": found.limit,
    }
