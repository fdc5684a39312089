"""`/match`: how a request would be answered, and why. It changes nothing."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from mock_server.admin.control import Control
from mock_server.admin.models import ExaminedPicture, MatchResult, RecognisedPicture
from mock_server.admin.operation import Operations
from mock_server.admin.validation import MAX_TEXT, as_choice, as_object, as_text, check_names, parse_json, read
from mock_server.core.account import Account
from mock_server.core.accounts import Accounts
from mock_server.core.conditions import Query
from mock_server.core.decision import Decision, Unmatched
from mock_server.core.journal import shown_body
from mock_server.core.model import PICTURE_OUTCOMES, Product, ReadRequest
from mock_server.core.near_misses import near_misses
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.core.store import DryRunStore
from mock_server.http.multipart import Form
from mock_server.imaging.results import SearchResult
from mock_server.providers.outcome_reply import reply_to
from mock_server.providers.provider import Provider
from mock_server.providers.uploads import beginning
from mock_server.scenarios.source import pointer

OPERATIONS = Operations()

GUEST = Account("guest", "guest")
"""The account of a request without a key: it has no limits."""

_FIELDS = ("provider", "product", "key", "url", "filename", "language", "headers")


@OPERATIONS("POST", "/match")
async def match(control: Control, request: Request) -> MatchResult:
    body = await read(request)
    form = await body.form("image", *_FIELDS)
    if form is None:
        return await _match(control, as_object(parse_json(body.data)), None)
    fields, image = _form_fields(form), form.first("image")
    if image is not None and image.filename:
        fields.setdefault("filename", image.filename)
    return await _match(control, fields, image.data if image else None)


def _form_fields(form: Form) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in form:
        if part.name == "headers":
            fields[part.name] = parse_json(part.data)
        elif part.name != "image":
            # Only as much as shows that the text is too long.
            fields[part.name] = beginning(part, MAX_TEXT)
    return fields


async def _match(control: Control, fields: Mapping[str, Any], image: bytes | memoryview | None) -> MatchResult:
    request = _read_request(control, fields, image)
    provider = control.providers[request.provider]
    store = DryRunStore(control.store, guest=None if fields.get("key") else GUEST)
    pipeline = RequestPipeline(
        control.pipeline.library,
        accounts=Accounts(store, control.clock),
        store=store,
        pictures=control.pictures,
        policy=control.pipeline.policy,
        overrides=control.pipeline.overrides,
    )
    decision = await pipeline.decide(request, provider.traits)
    if isinstance(decision, Decision) and not await pipeline.charge(decision):
        await pipeline.refuse(decision)
    query = Query(request, decision.account or "", decision.search)
    return MatchResult(
        **_decision_fields(decision, provider, request),
        account=decision.account if fields.get("key") else None,
        **(_search_fields(decision.search) if decision.search else {}),
        losers=decision.losers if isinstance(decision, Decision) else (),
        nearMisses=near_misses(query, pipeline.library.scenarios.in_order(), only_close=not _is_unmatched(decision)),
    )


def _is_unmatched(decision: Decision | Unmatched) -> bool:
    """Whether a scenario would have decided, but none matched."""
    if isinstance(decision, Unmatched):
        return True
    return not decision.scenario and not decision.forced and decision.outcome.name in PICTURE_OUTCOMES


def _read_request(control: Control, fields: Mapping[str, Any], image: bytes | memoryview | None) -> ReadRequest:
    check_names(fields, _FIELDS)
    texts = {name: as_text(fields[name], pointer(name)) for name in _FIELDS if name in fields and name != "headers"}
    headers = as_object(fields.get("headers", {}))
    headers = {name.lower(): as_text(value, pointer(name)) for name, value in headers.items()}
    providers = list(control.providers)
    provider = as_choice(texts.get("provider", providers[0]), providers, pointer("provider"), "provider")
    return ReadRequest(
        provider,
        Product(as_choice(texts.get("product", Product.PLATE), list(Product), pointer("product"), "product")),
        texts.get("key") or GUEST.key,
        image=image,
        url=texts.get("url"),
        filename=texts.get("filename"),
        language=texts.get("language", "en"),
        headers=headers,
        received_at=control.clock.now(),
        once=headers.get(control.providers[provider].once_header, ""),
    )


def _decision_fields(decision: Decision | Unmatched, provider: Provider, request: ReadRequest) -> dict[str, Any]:
    if isinstance(decision, Unmatched):
        return {"status": 501}
    reply = reply_to(decision.outcome, request, provider)
    return {
        "scenario": decision.scenario,
        "match": decision.match,
        "outcome": decision.outcome.label,
        "charged": decision.charged,
        "forced": decision.forced,
        "detail": decision.outcome.detail,
        "delay": decision.plan.delay,
        "fault": decision.plan.fault,
        "status": reply.status,
        "reply": shown_body(reply.body),
    }


def _search_fields(search: SearchResult) -> dict[str, Any]:
    facts = search.facts
    image = ExaminedPicture(
        facts.sha256, facts.format, facts.width, facts.height, facts.byte_count, facts.blank, round(facts.sharpness, 1)
    )
    pictures = [
        RecognisedPicture(match.id, match.method, round(match.score, 4), match.limit) for match in search.matches
    ]
    return {"image": image, "pictures": pictures}
