"""Acme's wire format: two paths for two products, an older path, and how an upload becomes a request."""

from mock_server.core.model import Billing, Outcome, OutcomeName, Product, ReadRequest, Traits
from mock_server.http.reply import Reply
from mock_server.providers.provider import Call, ExampleCall, Provider, Refusal, Route
from mock_server.providers.uploads import read_upload
from tests.providers.acme import render

_KINDS = {"number-plates": Product.PLATE, "chassis-numbers": Product.VIN}


class Acme(Provider):
    """The provider Acme."""

    title = "Acme"
    traits = Traits(
        name="acme",
        billing=Billing.QUOTA,
        charged=frozenset({OutcomeName.READ}),
        variants={OutcomeName.NOTHING_FOUND: ("empty", "missing")},
        statuses=dict.fromkeys(Product, render.OUTCOME_OF_STATUS),
    )
    hosts = ("api.acme.test", "eu.acme.test")
    routes = (Route("/v3/{kind}/scans", _KINDS), Route("/v2/scans", Product.PLATE, is_alias=True))

    def example_call(self, product: Product, key: str, picture_url: str) -> ExampleCall:
        """An upload."""
        kind = next(kind for kind, other in _KINDS.items() if other is product)
        return ExampleCall(f"/v3/{kind}/scans", headers={"Authorization": f"Token {key}"}, upload="upload")

    def parse(self, call: Call, product: Product) -> ReadRequest:
        """The picture is the form part `upload`."""
        upload = read_upload(call, "upload")
        scheme, _, key = call.headers.get("authorization", "").partition(" ")
        return ReadRequest(
            self.name,
            product,
            key.strip() or None if scheme.lower() == "token" else None,
            upload.image,
            filename=upload.filename,
            headers=call.headers,
            notes=(f"path {call.alias}",) if call.alias else (),
            problem=upload.problem,
            received_at=call.received_at,
        )

    def render(self, outcome: Outcome, request: ReadRequest) -> Reply:
        """The reply to an outcome."""
        return render.outcome(outcome, request)

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is not an upload."""
        return render.refusal(refusal)
