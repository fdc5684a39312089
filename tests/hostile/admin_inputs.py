"""Hostile calls of the admin API: damaged documents, filters and names, and damaged YAML."""

import json
import random
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from mock_server.admin.admin_app import OPERATIONS
from mock_server.settings import shipped_fixtures
from tests.hostile.mutation import TEXTS, VALUES, changed_bytes, changed_document
from tests.hostile.sending import Input
from tests.support import FIXTURES, picture

_SCENARIO: Mapping[str, Any] = {
    "scenario": "my-car",
    "description": "A car",
    "priority": 3,
    "when": {
        "image": "car.jpg",
        "provider": "vehicore",
        "product": "plate",
        "key": "demo-key",
        "language": "en",
        "header": {"X-Test": "a*"},
        "properties": {"format": "JPEG", "min_width": 10, "max_bytes": 10_000_000},
    },
    "reading": {
        "plate": {
            "text": "9DJC652",
            "region": "us-ca",
            "score": 0.9,
            "box": [1, 2, 30, 40],
            "candidates": [{"text": "9DJC65Z", "score": 0.5}],
            "vehicle": {"type": "Sedan", "score": 0.7, "box": [0, 0, 50, 60]},
        },
        "vin": {"text": "JHLRD77874C026456", "confidence": 0.98, "candidates": []},
        "text": "HELLO",
    },
    "then": [
        {"outcome": "service_error", "times": 2, "delay": "20ms", "chance": "10%"},
        {"outcome": "read", "headers": {"X-A": "b"}, "omit": ["results.box"], "add": {"request_id": "abc"}},
        {"reply": {"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<html>"}},
        {"outcome": "read", "fault": "TRUNCATED_BODY"},
    ],
    "repeat": "cycle",
}
_ACCOUNT: Mapping[str, Any] = {
    "name": "new",
    "key": "new-key",
    "status": "active",
    "plans": ["plate", "vin"],
    "credits": {"plate": 5, "vin": "unlimited"},
    "quota": {"plate": {"limit": 10, "used": 3}, "vin": 7},
    "tier": "starter",
    "overage": True,
    "quota_period": "month",
    "rate_limit": "5/second",
}
_DOCUMENTS: Mapping[str, tuple[Any, ...]] = {
    "/scenarios": (
        _SCENARIO,
        {"scenario": "small", "when": {"filename": "*.jpg"}, "reading": {"plate": "ABC123"}},
        {"key": "demo-key", "position": 2},
    ),
    "/accounts": (_ACCOUNT, {"credits": 5}, {"quota": {"shared": 100}, "wallet": True}),
    "/overrides": (
        {"outcome": "service_error", "times": 2},
        {"key": "demo-key", "provider": "carsxe", "product": "vin", "fault": "EMPTY_RESPONSE", "times": "always"},
        {"reply": {"status": 418, "body": "x"}, "chance": "50%", "delay": {"uniform": ["1ms", "2ms"]}},
    ),
    "/clock": ({"freeze": "2026-12-01T00:00:00Z"}, {"advance": "31d"}, {"freeze": True}),
    "/requests": ({"key": "demo-key", "outcome": "read", "since": "2026-01-01", "limit": 5}, {"provider": "-"}),
    "/match": ({"provider": "carsxe", "product": "plate", "url": "http://x.test/a.jpg", "headers": {"prefer": "x"}},),
    "/reset": ({}, {"key": "demo-key"}),
}
_NAMES = ("demo-key", "new-key", "my-car", "small", "not-found", "8f14e45fceea167a", "unmatched", "a/b", *TEXTS)
_PARAMETERS = ("key", "provider", "outcome", "status", "since", "until", "limit", "match", "format", "x")
_TYPES = (*[b"application/json"] * 5, b"application/yaml", b"text/plain", b"", b"multipart/form-data; boundary=b")
_LINES = (
    *("<<: *a", "&a [1]", "- *a", "? a", "!!python/object:os.system x", "--- ", "...", "%YAML 9.9", "\t- x"),
    *("a: |2", "{", "- - -"),
)


def admin_documents(rng: random.Random) -> Input:
    """Calls of every operation, with damaged documents."""
    operation = rng.choice(OPERATIONS)
    method = operation.method if rng.random() < 0.95 else rng.choice(("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"))
    path = operation.path
    for place in ("{key}", "{name}", "{id}"):
        path = path.replace(place, quote(rng.choice(_NAMES).encode("utf-8", "replace"), safe=rng.choice(("", "/"))))
    query = ""
    if rng.random() < 0.3:
        values = {rng.choice(_PARAMETERS): str(rng.choice((*VALUES, "demo-key", "read", "200"))) for _ in range(2)}
        query = "?" + urlencode(values, errors="replace")
    content_type = rng.choice(_TYPES)
    body = b"" if method == "GET" else _body(rng, operation.path, content_type)
    return Input(method, f"/__admin{path}{query}", ((b"content-type", content_type),), body)


def _body(rng: random.Random, path: str, content_type: bytes) -> bytes:
    documents = next((some for prefix, some in _DOCUMENTS.items() if path.startswith(prefix)), (_SCENARIO,))
    if rng.random() < 0.1:
        documents = rng.choice([*_DOCUMENTS.values()])
    document = rng.choice(documents)
    if rng.random() < 0.9:
        document = changed_document(document, rng)
    written = json.dumps(document).encode("utf-8", "replace")
    if content_type.startswith(b"multipart"):
        written = _form(rng, written)
    return changed_bytes(written, rng) if rng.random() < 0.2 else written


def _form(rng: random.Random, document: bytes) -> bytes:
    names = ("scenario", "image", "provider", "product", "headers", "key", "url")
    image = rng.choice((picture("car"), b"", b"no picture", b"\xff\xd8\xff"))
    parts = [(rng.choice(names), rng.choice((document, image, b"carsxe", b"plate"))) for _ in range(3)]
    parts.append(("scenario", document))
    return (
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
            % (name.encode(), b'; filename="car.jpg"' if name == "image" else b"", data)
            for name, data in parts
        )
        + b"--b--\r\n"
    )


def yaml_documents(rng: random.Random) -> Input:
    """Scenarios as damaged YAML."""
    text = changed_yaml(rng, rng.choice(seed_scenarios()).replace("image: ../images/", "filename: "))
    method, path = rng.choice((("POST", "/__admin/scenarios"), ("PUT", "/__admin/scenarios/my-car")))
    return Input(method, path, ((b"content-type", b"application/yaml"),), text)


def changed_yaml(rng: random.Random, text: str) -> bytes:
    """YAML with some lines moved, repeated, indented or replaced, and some bytes changed."""
    lines = text.splitlines()
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        at = rng.randrange(len(lines) or 1)
        match rng.randrange(5):
            case 0:
                lines.insert(at, rng.choice(_LINES))
            case 1:
                lines[at : at + 1] = lines[at : at + 1] * rng.choice((0, 2, 3))
            case 2:
                lines[at : at + 1] = [" " * rng.randint(1, 5) + line for line in lines[at : at + 1]]
            case 3:
                lines[at : at + 1] = [f"{line.partition(':')[0]}: {rng.choice(TEXTS)}" for line in lines[at : at + 1]]
            case 4:
                lines[at : at + 1] = [f"{line} {rng.choice(TEXTS)}" for line in lines[at : at + 1]]
    data = "\n".join(lines).encode("utf-8", "replace")
    if rng.random() < 0.5:
        data = changed_bytes(data, rng, most=3)
    # Bytes that are no text are seldom sent: they would hide everything else.
    return data if rng.random() < 0.1 else data.decode("utf-8", "ignore").replace("\0", "").encode()


@cache
def seed_scenarios() -> tuple[str, ...]:
    """Scenarios of the tests' fixtures and of the shipped ones, and one with every field; as YAML."""
    files = sorted([*FIXTURES.glob("scenarios/**/*.yaml"), *shipped_fixtures().glob("scenarios/**/*.yaml")])
    documents = [document for file in files for document in file.read_text("utf-8").split("\n---\n")]
    return (json.dumps(_SCENARIO, indent=1), *documents)
