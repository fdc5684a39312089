"""VehiCore's wire format: its path, and how an upload becomes a request."""

from mock_server.core.model import Billing, Outcome, OutcomeName, Product, ReadRequest, Traits
from mock_server.http.reply import Reply
from mock_server.providers.provider import MAX_TEXT, Call, ExampleCall, Provider, Refusal, Route
from mock_server.providers.uploads import Upload, beginning, read_upload
from mock_server.providers.vehicore import real_vehicore, render

_DEFAULT_LANGUAGE = "en"
_FIELDS = ("image", "userLanguage")


class VehiCore(Provider):
    """The provider VehiCore."""

    title = "VehiCore"
    traits = Traits(
        name="vehicore",
        billing=Billing.CREDITS,
        charged=frozenset({OutcomeName.READ}),
        variants={
            OutcomeName.NOTHING_FOUND: ("empty_result", "validation_error"),
            OutcomeName.NO_TEXT: ("empty_result", "validation_error"),
        },
        free_text=True,
        statuses=dict.fromkeys(Product, render.OUTCOME_OF_STATUS),
    )
    hosts = ("api.vehicore.pro", "vehicore-api.dev-stage.fyi")
    real = real_vehicore.SERVICE
    routes = (Route("/api/ocr/{type}", {product.value: product for product in Product}),)

    def example_call(self, product: Product, key: str, picture_url: str) -> ExampleCall:
        """An upload."""
        return ExampleCall(f"/api/ocr/{product}", headers={"X-API-Key": key}, upload="image", language="userLanguage")

    def parse(self, call: Call, product: Product) -> ReadRequest:
        """The picture is the form part `image`; its declared type and file name do not matter."""
        upload = read_upload(call, "image")
        key = call.headers.get("x-api-key", "").strip() or None
        return ReadRequest(
            self.name,
            product,
            key,
            upload.image,
            filename=upload.filename,
            language=_language(upload),
            headers=call.headers,
            fields=_other_fields(upload),
            problem=upload.problem,
            no_key=None if key else _why_no_key(call),
        )

    def render(self, outcome: Outcome, request: ReadRequest) -> Reply:
        """The reply to an outcome."""
        return render.outcome(outcome, request.product)

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is not an upload."""
        return render.refusal(refusal)


def _why_no_key(call: Call) -> str | None:
    places = [f"header {name}" for name in ("authorization", "key") if call.headers.get(name)]
    places += [f"query parameter {name}" for name in ("key", "api_key") if call.parameters.get(name)]
    return f"the key is read from the header X-API-Key, not from the {places[0]}" if places else None


def _other_fields(upload: Upload) -> tuple[str, ...]:
    parts = upload.form.parts if upload.form else ()
    return tuple([part.name for part in parts if part.name not in _FIELDS])


def _language(upload: Upload) -> str:
    part = upload.form.first("userLanguage") if upload.form else None
    return (beginning(part, MAX_TEXT).strip() if part and part.filename is None else "") or _DEFAULT_LANGUAGE
