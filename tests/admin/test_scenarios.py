"""Scenarios added while the mock runs: they win over files, may belong to one key, and name no file of the host."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from mock_server import MockServer
from tests.support import FIXTURES, carsxe, drawn, encoded, picture, vehicore

Parts = dict[str, tuple[str | None, str | bytes]]


def _error(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 400
    error: dict[str, Any] = reply.json()["errors"][0]
    return error


def test_a_scenario_in_json_knows_a_picture_of_the_set(admin: httpx.Client, http: httpx.Client) -> None:
    """`when.image` may name a picture that is served, by its path or by its name in the gallery."""
    for name, image in (("by-path", "images/car.jpg"), ("by-name", "vin.jpg")):
        document = {"scenario": name, "when": {"image": image}, "reading": {"plate": f"NEW{len(name)}"}}
        assert admin.post("/scenarios", json=document).status_code == 201

    assert vehicore(http, image=picture("car")).json() == {"result": "NEW7"}
    assert vehicore(http, image=picture("vin")).json() == {"result": "NEW7"}


@pytest.mark.parametrize("written", ["json", "yaml"])
def test_a_form_brings_its_own_picture(written: str, admin: httpx.Client, http: httpx.Client) -> None:
    """The part `image` is the picture; the document may be JSON or YAML."""
    document = '{"scenario": "sent", "reading": {"plate": "SENT1"}}'
    if written == "yaml":
        document = "scenario: sent\nreading: {plate: SENT1}\n"
    sent = drawn("brought along")
    made = admin.post("/scenarios", files={"scenario": (None, document), "image": ("any.png", sent)})

    assert made.status_code == 201
    assert vehicore(http, image=sent).json() == {"result": "SENT1"}
    assert http.get(made.json()["pictures"][0]).content == sent


def test_a_picture_may_be_named_by_its_file_name(admin: httpx.Client, http: httpx.Client) -> None:
    """`when.image` may name a part of the same form, as a fixture file would name a file beside it."""
    document = {"scenario": "sent", "when": {"image": "mine.png"}, "reading": {"plate": "SENT2"}}
    sent = drawn("named")
    admin.post("/scenarios", files={"scenario": (None, json.dumps(document)), "image": ("mine.png", sent)})

    assert vehicore(http, image=sent).json() == {"result": "SENT2"}


@pytest.mark.parametrize(
    "path",
    [str(FIXTURES / "images" / "car.jpg"), "../images/car.jpg", "/etc/hostname", "images/../mock.yaml"],
)
def test_files_of_the_host_cannot_be_named(path: str, admin: httpx.Client) -> None:
    """A path is only ever compared with the pictures that are served; no file is looked for."""
    reply = admin.post("/scenarios", json={"scenario": "spy", "when": {"image": path}})

    assert _error(reply)["pointer"] == "/when/image"
    assert admin.get("/scenarios/spy").status_code == 404


def test_a_mistyped_picture_is_told_the_nearest(admin: httpx.Client) -> None:
    """The hint names the picture that was probably meant, the pointer the item of the list."""
    reply = admin.post("/scenarios", json={"scenario": "x", "when": {"image": ["car.jpg", "two_cars.jpg"]}})

    assert _error(reply) == {
        "pointer": "/when/image/1",
        "detail": 'there is no picture "two_cars.jpg"',
        "hint": 'did you mean "two-cars.jpg"?',
    }


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"scenario": "x", "then": [{"outcome": "raed"}]}, "/then/0/outcome"),
        ({"scenario": "x", "when": {"provider": "vehicor"}}, "/when/provider"),
        ({"scenario": "x", "when": {"prodct": "plate"}}, "/when/prodct"),
        ({"scenario": "x", "priority": 10}, "/priority"),
        ({"scenario": "read"}, "/scenario"),
        ({"reading": {"plate": {"txt": "A"}}, "scenario": "x"}, "/reading/plate/txt"),
    ],
)
def test_mistakes_have_places(document: dict[str, Any], pointer: str, admin: httpx.Client) -> None:
    """Each mistake comes with a JSON pointer into the document."""
    errors = admin.post("/scenarios", json=document).json()["errors"]

    assert pointer in [error["pointer"] for error in errors]


def test_mistakes_in_yaml_have_lines(admin: httpx.Client) -> None:
    """Text is told by line and column."""
    body = b"scenario: x\nthen:\n  - outcome: raed\n"
    reply = admin.post("/scenarios", content=body, headers={"Content-Type": "application/yaml"})

    assert (_error(reply)["line"], _error(reply)["column"]) == (3, 14)


@pytest.mark.parametrize("data", [b"", b"no picture", picture("car")[:2000]], ids=["empty", "text", "cut"])
def test_a_picture_that_cannot_be_read_is_refused(data: bytes, admin: httpx.Client) -> None:
    """A broken picture is a mistake at the part `image`, and nothing is added."""
    reply = admin.post(
        "/scenarios", files={"scenario": (None, '{"scenario": "x"}'), "image": ("a.jpg", data)}
    )

    assert _error(reply)["part"] == "image"
    assert admin.get("/scenarios/x").status_code == 404


def test_runtime_scenarios_win_over_files(admin: httpx.Client, http: httpx.Client) -> None:
    """At equal priority and specificity the runtime scenario applies, however the picture was recognised."""
    car = Image.open(BytesIO(picture("car")))
    sent = encoded(car, "JPEG", quality=70)
    parts: Parts = {
        "scenario": (None, '{"scenario": "mine", "reading": {"plate": "MINE1"}}'),
        "image": ("a.png", encoded(car.resize((1200, 900)), "PNG")),
    }
    before = vehicore(http, image=sent).json()
    admin.post("/scenarios", files=parts)
    during = vehicore(http, image=sent).json()
    admin.delete("/scenarios/mine")

    assert (before, during, vehicore(http, image=sent).json()) == (
        {"result": "9DJC652"},
        {"result": "MINE1"},
        {"result": "9DJC652"},
    )


def test_a_scenario_may_belong_to_one_key(mock: MockServer, admin: httpx.Client, http: httpx.Client) -> None:
    """Two keys may each have their own answer to one picture; everybody else gets the file's."""
    keys = [mock.create_account().key for _ in range(3)]
    for number, key in enumerate(keys[:2]):
        when = {"key": key, "image": "car.jpg"}
        mock.add_scenario({"scenario": f"of-{number}", "when": when, "reading": {"plate": f"KEY{number}"}})

    assert [vehicore(http, key=key).json()["result"] for key in keys] == ["KEY0", "KEY1", "9DJC652"]


def test_reset_of_a_key_takes_its_scenarios(mock: MockServer, admin: httpx.Client) -> None:
    """What is bound to a key goes with it; what is not stays."""
    key = mock.create_account().key
    mock.add_scenario({"scenario": "bound", "when": {"key": key}})
    mock.add_scenario({"scenario": "free", "when": {"filename": "nothing"}})
    mock.reset(key)

    assert admin.get("/scenarios/bound").status_code == 404
    assert admin.get("/scenarios/free").status_code == 200


def test_put_hides_a_file_and_delete_shows_it_again(admin: httpx.Client, http: httpx.Client) -> None:
    """A runtime scenario of a file's name takes its place until it is deleted."""
    document = {"when": {"image": "car.jpg"}, "reading": {"plate": "HIDDEN1"}}
    statuses = [admin.put("/scenarios/car", json=document).status_code for _ in range(2)]
    hidden = vehicore(http).json()
    gone = admin.delete("/scenarios/car").status_code

    assert (statuses, hidden, gone) == ([201, 200], {"result": "HIDDEN1"}, 204)
    assert vehicore(http).json() == {"result": "9DJC652"}


@pytest.mark.parametrize("name", ["car", "two-cars", "tier-message", "reworded"])
def test_what_is_shown_can_be_sent_back(name: str, admin: httpx.Client, http: httpx.Client) -> None:
    """The document of a scenario makes the same scenario again."""
    shown = admin.get(f"/scenarios/{name}").json()
    facts = ("scenario", "description", "priority", "when", "reading", "then", "repeat")
    again = admin.put(f"/scenarios/{name}", json={fact: shown[fact] for fact in facts})

    assert again.status_code == 201
    assert {fact: again.json()[fact] for fact in facts} == {fact: shown[fact] for fact in facts}


def test_a_scenario_keeps_the_picture_it_was_sent_with(admin: httpx.Client, http: httpx.Client) -> None:
    """Replacing a scenario by what is shown of it does not lose its picture."""
    sent = drawn("kept")
    parts: Parts = {
        "scenario": (None, '{"scenario": "kept", "reading": {"plate": "KEPT1"}}'),
        "image": ("a.png", sent),
    }
    shown = admin.post("/scenarios", files=parts).json()
    document = {"when": shown["when"], "reading": {"plate": "KEPT2"}}

    assert admin.put("/scenarios/kept", json=document).status_code == 200
    assert vehicore(http, image=sent).json() == {"result": "KEPT2"}


def test_sequences_go_by_key_and_can_be_set(
    admin: httpx.Client, mock: MockServer, http: httpx.Client
) -> None:
    """Each key has its own position, which may be set, and which a PUT sets back."""
    steps = [{"outcome": "service_error", "times": 2}, {"outcome": "read"}]
    document = {
        "scenario": "flaky",
        "when": {"filename": "flaky.jpg"},
        "then": steps,
        "reading": {"plate": "F1"},
    }
    mock.add_scenario(document)
    first, second = (mock.create_account().key for _ in range(2))

    def statuses(key: str, count: int) -> list[int]:
        return [vehicore(http, key=key, filename="flaky.jpg").status_code for _ in range(count)]

    assert (statuses(first, 3), statuses(second, 1)) == ([500, 500, 200], [500])
    mock.set_state("flaky", second, 2)
    mock.set_state("flaky", first, 1)
    assert (statuses(first, 2), statuses(second, 1)) == ([500, 200], [200])
    mock.add_scenario(document, replace=True)
    assert statuses(first, 1) == [500]
    assert {one["position"] for one in admin.get("/scenarios/flaky").json()["positions"]} == {0, 1}


def test_keys_in_positions_are_redacted(admin: httpx.Client, mock: MockServer) -> None:
    """Where somebody stands is shown without telling the key."""
    mock.set_state("car", "a-key-nobody-may-see", 4)

    assert "a-key-nobody" not in admin.get("/scenarios/car").text


def test_a_url_needs_no_picture(admin: httpx.Client, http: httpx.Client) -> None:
    """A runtime scenario may know a picture by its URL alone."""
    document = {"scenario": "far", "when": {"url": "https://cdn.example/*"}, "reading": {"plate": "FAR1"}}
    admin.post("/scenarios", json=document)

    assert carsxe(http, reference="https://cdn.example/a.jpg").json()["results"][0]["plate"] == "far1"


def test_python_reads_local_pictures(
    mock: MockServer, admin: httpx.Client, http: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`MockServer.add_scenario` reads the picture from the working directory; paths and bytes will do as well."""
    monkeypatch.chdir(tmp_path)
    sent = {name: drawn(name) for name in ("relative", "absolute", "bytes")}
    for name, data in sent.items():
        (tmp_path / f"{name}.png").write_bytes(data)
    images: dict[str, Any] = {
        "relative": "relative.png",
        "absolute": tmp_path / "absolute.png",
        "bytes": sent["bytes"],
    }
    for name, image in images.items():
        mock.add_scenario({"scenario": name, "when": {"image": image}, "reading": {"plate": name.upper()}})

    assert [vehicore(http, image=data).json()["result"] for data in sent.values()] == [
        name.upper() for name in sent
    ]
