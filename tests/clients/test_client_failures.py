"""What the two published CarsXE packages do with replies that their authors did not expect; the table of the docs."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_server.settings import shipped_fixtures

from .conftest import ROOT, official_answers
from .fixtures import VIN

TABLE = re.compile(r"^\| (?P<reply>[^|]+) \| (?P<pip>[^|]+) \| (?P<npm>[^|]+) \|$", re.MULTILINE)
HEADING = "## What the published clients do with unexpected replies"

HTML = '{status: 502, headers: {Content-Type: text/html}, body: "<html><h1>502 Bad Gateway</h1></html>"}'
READING = "reading: {plate: {text: 9DJC652, region: us-ca}, vin: JHLRD77874C026456}"
SPARSE = (
    "omit: [results.candidates, results.box.ymax, results.score, results.dscore, results.vehicle, camera_id, filename]"
)

REPLIES = {
    # The row of the docs: the product, and the step that answers it.
    "an HTML page with 502": ("plate", f"reply: {HTML}"),
    "an empty body with 200": ("plate", "reply: {status: 200, headers: {Content-Type: application/json}, body: ''}"),
    "an empty body with 502": ("vin", "reply: {status: 502, body: ''}"),
    "JSON that is cut off": (
        "plate",
        "reply: {status: 200, headers: {Content-Type: application/json}, body: '{\"success\": tr'}",
    ),
    "JSON as `text/plain`": (
        "vin",
        "reply: {status: 200, headers: {Content-Type: text/plain}, body: '{\"success\": true}'}",
    ),
    "half of the body, then the end (`TRUNCATED_BODY`)": ("plate", "fault: TRUNCATED_BODY"),
    "fields missing in a result": ("plate", SPARSE),
    "200 without `results`": ("plate", "outcome: nothing_found, variant: missing_results"),
    "VIN candidates without `box`": ("vin", "omit: [candidates.box]"),
    "a VIN without `candidates`": ("vin", "omit: [candidates, confidence, box]"),
    "200 with a field `error`": ("plate", "outcome: service_error, variant: error_field"),
    "429 without `usage`": ("vin", "outcome: out_of_credits, variant: without_usage"),
    "402 with payment requirements": ("plate", "outcome: payment_required"),
}

Answers = dict[str, dict[str, Any]]


def _url(number: int) -> str:
    return f"https://pictures.example/unexpected-{number}.jpg"


@pytest.fixture(scope="module")
def unexpected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fixtures directory with a scenario for each reply, chosen by the image URL."""
    root = tmp_path_factory.mktemp("unexpected") / "fixtures"
    (root / "scenarios").mkdir(parents=True)
    (root / "images").mkdir()
    (root / "images" / VIN).write_bytes((shipped_fixtures() / "images" / VIN).read_bytes())
    (root / "mock.yaml").write_text("accounts: [{key: demo-key}]\n")
    documents = [
        f"scenario: unexpected-{number}\nwhen: {{url: '{_url(number)}'}}\n{READING}\nthen: [{{{step}}}]\n"
        for number, (_, step) in enumerate(REPLIES.values())
    ]
    (root / "scenarios" / "all.yaml").write_text("---\n".join(documents))
    return root


@pytest.fixture(scope="module")
def ask(
    unexpected: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], Answers]:
    """What a package answers to each reply, asked in one program under `exec`."""
    asked: dict[str, Answers] = {}
    authority = tmp_path_factory.mktemp("unexpected-ca")

    def run(client: str) -> Answers:
        questions = [
            {"key": "demo-key", "product": product, "url": _url(number)}
            for number, (product, _) in enumerate(REPLIES.values())
        ]
        found = official_answers(client, questions, unexpected, authority=authority, request=request)
        return dict(zip(REPLIES, found, strict=True))

    def answers(client: str) -> Answers:
        if client not in asked:
            asked[client] = run(client)
        return asked[client]

    return answers


def _done(answer: dict[str, Any]) -> str:
    """What a package has done, in the words of the docs."""
    error = answer.get("error")
    if error == "never settles":
        return "never returns and never raises"
    if error:
        return f"raises `{error}`"
    return "returns the JSON" if answer["answer"] else f"returns `{answer['answer']}`"


def _documented() -> dict[str, dict[str, str]]:
    first_table = (ROOT / "docs" / "clients.md").read_text("utf-8").partition(HEADING)[2].partition("|\n\n")[0]
    _, _, *rows = [match.groupdict() for match in TABLE.finditer(first_table + "|")]
    return {row["reply"]: row for row in rows}


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("client", ["pip", "npm"])
def test_the_table_says_what_the_client_does(ask: Callable[[str], Answers], client: str, reply: str) -> None:
    """Each cell of the table is what the package really does."""
    assert _done(ask(client)[reply]) == _documented()[reply][client]


def test_the_table_has_every_reply() -> None:
    """No row is missing, and none is left over."""
    assert list(_documented()) == list(REPLIES)
