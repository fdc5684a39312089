"""VehiCore OCR as documented: one case for each row of the contract."""

import base64
import quopri
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from mock_server.core.clock import Clock
from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import drawn, encoded, latest, new_key, picture, vehicore

pins = pytest.mark.pins

UNAUTHORIZED = {"message": "Invalid or missing API key.", "code": "UNAUTHORIZED"}
OUT_OF_CREDITS = {
    "message": "Insufficient credits for this product. Please purchase more credits on the Billing page.",
    "code": "INSUFFICIENT_CREDITS",
}
SERVER_ERROR = {"message": "Unexpected server error. Please retry later."}


@pytest.mark.parametrize(
    ("product", "image", "text"),
    [
        pytest.param("plate", "car", "9DJC652", marks=pins("vehicore-200-plate"), id="plate"),
        pytest.param("vin", "vin", "JHLRD77874C026456", marks=pins("vehicore-200-vin"), id="vin"),
        pytest.param("vin", "label", "UNLEADED FUEL ONLY", marks=pins("vehicore-200-vin-text"), id="free text"),
        pytest.param("plate", "two-cars", "6HKD804", marks=pins("vehicore-200-several-plates"), id="several"),
        pytest.param("plate", "vin", "", marks=pins("vehicore-nothing-found"), id="no plate on it"),
        pytest.param("plate", "no-plate", "", id="nothing found"),
        pytest.param("vin", "no-text", "", id="no text"),
        pytest.param("vin", "car", "9DJC652", marks=pins("vehicore-200-vin-plate"), id="plate but no vin"),
        pytest.param("vin", "two-cars", "6HKD804", id="several plates but no vin"),
    ],
)
def test_result(http: httpx.Client, product: str, image: str, text: str) -> None:
    """Success is 200 with the text; nothing found is an empty text."""
    reply = vehicore(http, product, picture(image))

    assert reply.status_code == 200
    assert reply.json() == {"result": text}
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("product", ["plate", "vin"])
@pytest.mark.parametrize(
    "key",
    [
        pytest.param(None, marks=pins("vehicore-401-missing-key"), id="missing"),
        pytest.param("", id="empty"),
        pytest.param("nobody", marks=pins("vehicore-401-unknown-key"), id="unknown"),
        pytest.param("DEMO-KEY", id="other case"),
        pytest.param("disabled-key", marks=pins("vehicore-401-revoked-key"), id="revoked"),
        pytest.param("inactive-key", id="inactive"),
        pytest.param("blocked-key", id="blocked"),
    ],
)
def test_unauthorized(http: httpx.Client, product: str, key: str | None) -> None:
    """A key that is missing, unknown or revoked is 401 UNAUTHORIZED on both products."""
    reply = vehicore(http, product, key=key)

    assert (reply.status_code, reply.json()) == (401, UNAUTHORIZED)


@pins("vehicore-key-header")
def test_the_key_is_read_from_the_header_alone(http: httpx.Client) -> None:
    """A key in the query is ignored."""
    reply = http.post("/api/ocr/plate?key=demo-key", files={"image": picture("car")})

    assert (reply.status_code, reply.json()) == (401, UNAUTHORIZED)


@pins("vehicore-402")
@pytest.mark.parametrize("key", ["no-credits", "basic-plan-key"])
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_insufficient_credits(http: httpx.Client, key: str, product: str) -> None:
    """Without credits for the product the reply is 402, and the message names the Billing page."""
    reply = vehicore(http, product, key=key)

    assert (reply.status_code, reply.json()) == (402, OUT_OF_CREDITS)


@pins("vehicore-credits-by-product")
def test_products_have_credits_of_their_own(mock: MockServer, http: httpx.Client) -> None:
    """Plates do not use the credits for VINs."""
    key = new_key(mock, credits=1)
    statuses = [vehicore(http, product, key=key).status_code for product in ("plate", "plate", "vin", "vin")]

    assert statuses == [200, 402, 200, 402]


@pins("vehicore-charge")
def test_only_a_recognition_costs_a_credit(mock: MockServer, http: httpx.Client) -> None:
    """Rejected requests and pictures without text cost nothing; a reading takes the last credit."""
    key = new_key(mock, credits=1)
    free = [b"no picture", picture("vin"), picture("no-plate")]
    statuses = [vehicore(http, "plate", image, key=key).status_code for image in [*free, picture("car"), *free]]

    assert statuses == [400, 200, 200, 200, 400, 402, 402]


def _broken(name: str) -> bytes:
    return picture(name)[: len(picture(name)) // 2]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        pytest.param(b"", "The uploaded image is empty.", marks=pins("vehicore-400-empty"), id="empty"),
        pytest.param(
            b"nothing to see here",
            "The uploaded file is not a valid or supported image.",
            marks=pins("vehicore-400-not-an-image"),
            id="no image",
        ),
        pytest.param(
            _broken("car"),
            "The uploaded file is not a valid or supported image.",
            marks=pins("vehicore-400-damaged"),
            id="truncated",
        ),
        pytest.param(
            b"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00" + bytes(1200),
            "Unsupported image format.",
            marks=pins("vehicore-400-unsupported"),
            id="icon",
        ),
    ],
)
def test_bad_images(http: httpx.Client, image: bytes, message: str) -> None:
    """A file that cannot be decoded is 400 VALIDATION_ERROR with the reason."""
    reply = vehicore(http, "plate", image)

    assert (reply.status_code, reply.json()) == (400, {"message": message, "code": "VALIDATION_ERROR"})


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        pytest.param(
            {"files": {"photo": ("a.jpg", b"x")}},
            "Image file is required.",
            marks=pins("vehicore-400-missing-image"),
            id="other name",
        ),
        pytest.param(
            {"data": {"image": "https://example.test/a.jpg"}, "files": {"other": ("a.txt", b"x")}},
            "Image file is required.",
            marks=pins("vehicore-400-text-field"),
            id="text field",
        ),
        pytest.param(
            {"json": {"image": "abc"}},
            "The request is not a valid multipart upload.",
            marks=pins("vehicore-400-not-multipart"),
            id="json",
        ),
        pytest.param({"data": {"image": "a"}}, "The request is not a valid multipart upload.", id="urlencoded"),
        pytest.param({}, "The request is not a valid multipart upload.", id="no body"),
        pytest.param(
            {"content": b"--x\r\nnonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            "The request is not a valid multipart upload.",
            id="malformed",
        ),
        pytest.param(
            {"content": b"--x--\r\n", "headers": {"Content-Type": "multipart/form-data"}},
            "The request is not a valid multipart upload.",
            id="no boundary",
        ),
        pytest.param(
            {"files": [("image", ("a.jpg", b"x"))] + [("more", (f"{n}.jpg", b"x")) for n in range(2000)]},
            "The request is not a valid multipart upload.",
            id="many parts",
        ),
    ],
)
def test_bad_requests(http: httpx.Client, kwargs: dict[str, object], message: str) -> None:
    """A request without an uploaded file named image is 400 VALIDATION_ERROR."""
    headers = {"X-API-Key": "demo-key", **kwargs.pop("headers", {})}  # type: ignore[dict-item]
    reply = http.post("/api/ocr/plate", headers=headers, **kwargs)  # type: ignore[arg-type]

    assert (reply.status_code, reply.json()) == (400, {"message": message, "code": "VALIDATION_ERROR"})


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"nonsense", "the boundary of the Content-Type is not in the body"),
        (b"--x\r\nContent-Disposition: form-data; name=image\r\n\r\nabc", "the last boundary is missing"),
        (
            b"--x\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n--x--",
            "no part named image; a part has no Content-Disposition",
        ),
        (
            b"--x\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--x--",
            "the part named image is a text field, not a file",
        ),
    ],
)
def test_the_journal_says_what_is_wrong_with_an_upload(
    mock: MockServer, http: httpx.Client, body: bytes, detail: str
) -> None:
    """The reply is the provider's; the reason is in the journal."""
    headers = {"X-API-Key": "demo-key", "Content-Type": "multipart/form-data; boundary=x"}
    reply = http.post("/api/ocr/plate", headers=headers, content=body)

    assert reply.status_code == 400
    assert latest(mock).detail == detail


@pytest.mark.parametrize("encoding", ["binary", "quoted-printable", "base64"])
def test_uploads_of_mail_libraries(mock: MockServer, http: httpx.Client, encoding: str) -> None:
    """Mail headers before the form, folded part headers and encoded text fields beside the picture are accepted."""
    encode = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(encoding, bytes)
    body = b"\r\n".join(
        [
            b"MIME-Version: 1.0",
            b"",
            b"--x",
            b'Content-Disposition: form-data;\r\n name="userLanguage"',
            b"Content-Transfer-Encoding: " + encoding.encode(),
            b"",
            encode(b"de-DE").rstrip(),
            b"--x",
            b"Content-Type: image/jpeg",
            b'Content-Disposition: form-data; name="image";\r\n\tfilename="car.jpg""',
            b"",
            picture("car"),
            b"--x--",
        ]
    )
    headers = {"X-API-Key": "demo-key", "Content-Type": "multipart/form-data; boundary=x"}
    reply = http.post("/api/ocr/plate", headers=headers, content=body)

    assert reply.json() == {"result": "9DJC652"}
    assert latest(mock).language == "de-DE"
    assert latest(mock).filename == "car.jpg"


@pins("vehicore-400-too-large")
def test_too_large(serve: MakeClient) -> None:
    """A body or a picture over the limit is 400 VALIDATION_ERROR in VehiCore's own shape."""
    client = serve(max_body=300_000, max_pixels=700_000)
    replies = [vehicore(client, "plate", bytes(400_000)), vehicore(client, "plate", drawn(size=(1000, 800)))]

    for reply in replies:
        assert reply.status_code == 400
        assert reply.json() == {"message": "The uploaded image is too large.", "code": "VALIDATION_ERROR"}


@pins("vehicore-400-unknown-type")
@pytest.mark.parametrize("product", ["passport", "PLATE", "plates", "plate.json", "%70assport"])
def test_unknown_type(http: httpx.Client, product: str) -> None:
    """A type that is neither plate nor vin is 400 VALIDATION_ERROR, whatever the key."""
    reply = http.post(f"/api/ocr/{product}")

    assert reply.status_code == 400
    assert reply.json() == {"message": "Invalid OCR type. Expected plate or vin.", "code": "VALIDATION_ERROR"}


@pins("vehicore-405")
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods(http: httpx.Client, method: str) -> None:
    """Another method is 405 with the allowed method; the key is not checked."""
    reply = http.request(method, "/api/ocr/plate")

    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert reply.json() == {"message": "Method not allowed."}


@pins("vehicore-429", "vehicore-429-retry-after")
def test_rate_limited(serve: MakeClient, clock: Clock) -> None:
    """Over the rate limit the reply is 429 with Retry-After in whole seconds; later requests succeed again."""
    client = serve(clock=clock)
    replies = [vehicore(client, key="slow-key") for _ in range(3)]

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[2].json() == {"message": "Too many requests. Please slow down.", "code": "RATE_LIMITED"}
    assert replies[2].headers["retry-after"] == "1"

    clock.advance(1)

    assert vehicore(client, key="slow-key").status_code == 200


@pins("vehicore-500")
@pytest.mark.parametrize("outcome", ["service_error", "upstream_unreachable", "upstream_down", "upstream_timeout"])
def test_server_errors_have_no_code(http: httpx.Client, outcome: str) -> None:
    """An unexpected error is 500 with a message and without a code."""
    reply = vehicore(http, headers={"Prefer": f"outcome={outcome}"})

    assert (reply.status_code, reply.json()) == (500, SERVER_ERROR)


@pins("vehicore-order")
def test_order_of_checks(serve: MakeClient, clock: Clock) -> None:
    """Path and method come first, then the key, the rate, the request, the credits, and recognition last."""
    client = serve(clock=clock)
    bad, good = b"no picture", picture("car")

    assert client.get("/api/ocr/passport").status_code == 400
    assert client.put("/api/ocr/plate").status_code == 405
    assert vehicore(client, image=bad, key="nobody").status_code == 401
    assert [vehicore(client, image=bad, key="slow-key").status_code for _ in range(3)] == [400, 400, 429]
    assert vehicore(client, image=bad, key="no-credits").status_code == 400
    assert vehicore(client, image=good, key="no-credits").status_code == 402


def _formats() -> dict[str, Callable[[], bytes]]:
    def saved(format: str, **options: object) -> Callable[[], bytes]:
        def save() -> bytes:
            return encoded(Image.open(BytesIO(picture("car"))), format, **options)

        return save

    return {
        "JPEG": saved("JPEG", quality=85),
        "PNG": saved("PNG", compress_level=1),
        "WebP": saved("WEBP", quality=85),
        "GIF": saved("GIF"),
        "BMP": saved("BMP"),
        "TIFF": saved("TIFF"),
        "AVIF": saved("AVIF", quality=80),
        "MPO": saved("MPO", quality=85),
        "HEIC": _heic,
    }


def _heic() -> bytes:
    """The picture as an iPhone saves it."""
    heif = pytest.importorskip("pillow_heif", reason="needs the extra heif")
    out = BytesIO()
    heif.from_pillow(Image.open(BytesIO(picture("car")))).save(out, quality=85)
    return out.getvalue()


@pins("vehicore-formats")
@pytest.mark.parametrize("format", _formats())
def test_formats(http: httpx.Client, format: str) -> None:
    """The picture is read in every common format, with another file name and another declared type."""
    image = _formats()[format]()
    reply = http.post(
        "/api/ocr/plate", headers={"X-API-Key": "demo-key"}, files={"image": ("letter.txt", image, "application/pdf")}
    )

    assert (reply.status_code, reply.json()) == (200, {"result": "9DJC652"})


@pins("vehicore-bytes-decide")
@pytest.mark.parametrize("content_type", ["application/octet-stream", "image/png", "text/plain", None])
@pytest.mark.parametrize("filename", ["plate.jpg", "plate", "../../etc/passwd", "фото.txt", "C:\\p.jpg"])
def test_declared_type_and_name_are_not_trusted(http: httpx.Client, content_type: str | None, filename: str) -> None:
    """The format is found from the bytes; the declared type and the file name do not matter."""
    part = (filename, picture("car"), content_type) if content_type else (filename, picture("car"))
    reply = http.post("/api/ocr/plate", headers={"X-API-Key": "demo-key"}, files={"image": part})

    assert reply.json() == {"result": "9DJC652"}


@pins("vehicore-user-language")
def test_user_language(http: httpx.Client) -> None:
    """`userLanguage` is optional, and any text is accepted."""
    for fields in ({}, {"userLanguage": "uk"}, {"userLanguage": ""}, {"userLanguage": "x" * 300}):
        reply = http.post(
            "/api/ocr/plate", headers={"X-API-Key": "demo-key"}, data=fields, files={"image": picture("car")}
        )

        assert reply.json() == {"result": "9DJC652"}


@pins("vehicore-language-region")
@pytest.mark.parametrize("language", ["de", "DE", "de-AT", "de_AT", "de-Latn-CH"])
def test_region_tags(serve: MakeClient, tmp_path: Path, language: str) -> None:
    """A language with a region is accepted, and a scenario for the language takes it too."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "mock.yaml").write_text("accounts: [{key: k}]\n")
    (tmp_path / "scenarios" / "german.yaml").write_text(
        "scenario: german\nwhen: {language: de}\nreading: {plate: M-AB 123}\n"
        "---\nscenario: other\nreading: {plate: ABC123}\n"
    )
    client = serve(tmp_path)
    headers, files = {"X-API-Key": "k"}, {"image": drawn()}
    replies = [
        client.post("/api/ocr/plate", headers=headers, data={"userLanguage": tag}, files=files).json()["result"]
        for tag in (language, "en-US", "den")
    ]

    assert replies == ["M-AB 123", "ABC123", "ABC123"]


@pins("vehicore-404")
@pytest.mark.parametrize("path", ["/", "/api/ocr", "/api/ocr/", "/api/ocr/plate/", "/api/billing"])
def test_no_such_path(http: httpx.Client, path: str) -> None:
    """On VehiCore's own host, every other path is 404 in VehiCore's shape."""
    reply = http.post(path, headers={"Host": "vehicore-api.dev-stage.fyi", "X-API-Key": "demo-key"})

    assert (reply.status_code, reply.json()) == (404, {"message": "Not found."})


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        pytest.param("empty-result", 200, {"result": ""}, id="empty"),
        pytest.param("free-text", 200, {"result": "a road sign"}, id="text"),
        pytest.param(
            "validation-error",
            400,
            {"message": "No text could be recognized in the image.", "code": "VALIDATION_ERROR"},
            id="refused",
        ),
    ],
)
@pins("vehicore-nothing-found-variants")
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_nothing_found_as_a_scenario_says(
    http: httpx.Client, product: str, name: str, status: int, body: dict[str, str]
) -> None:
    """A scenario can set whether nothing found is an empty text, a free text or a validation error."""
    reply = vehicore(http, product, headers={"X-Scenario": name})

    assert (reply.status_code, reply.json()) == (status, body)


def test_reworded(http: httpx.Client) -> None:
    """A scenario's message replaces the provider's; its headers are added."""
    reply = vehicore(http, headers={"X-Scenario": "reworded"})

    assert (reply.status_code, reply.json()) == (500, {"message": "Down for the night"})
    assert reply.headers["x-shift"] == "night"


def test_long_texts_are_cut(mock: MockServer, http: httpx.Client) -> None:
    """A very long file name or language does not change the reply; the journal stores the start of it."""
    files = {"image": ("a" * 3000 + ".jpg", picture("car"))}
    reply = http.post(
        "/api/ocr/plate", headers={"X-API-Key": "demo-key"}, data={"userLanguage": "x" * 1_000_000}, files=files
    )

    assert reply.json() == {"result": "9DJC652"}
    assert (latest(mock).filename, latest(mock).language) == ("a" * 512, "x" * 512)


@pytest.mark.parametrize("place", [0.02, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_damaged_pixels(mock: MockServer, http: httpx.Client, mode: str, place: float) -> None:
    """A PNG whose compressed pixels are damaged is 400 and costs nothing."""
    with Image.open(BytesIO(picture("car"))) as image:
        data = bytearray(encoded(image.convert(mode)))
    at = int(len(data) * place)
    data[at : at + 200] = bytes(200)
    key = new_key(mock, credits=1)
    replies = [vehicore(http, image=bytes(data), key=key), vehicore(http, key=key)]

    assert [reply.status_code for reply in replies] == [400, 200]


def test_an_input_that_was_left_empty(http: httpx.Client) -> None:
    """A page may have several inputs for the picture; the browser sends an empty file for each that is not used."""
    files = [("image", ("", b"")), ("image", ("car.jpg", picture("car"))), ("image", ("", b""))]
    reply = http.post("/api/ocr/plate", headers={"X-API-Key": "demo-key"}, files=files)

    assert reply.json() == {"result": "9DJC652"}
