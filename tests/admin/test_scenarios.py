"""Runtime scenarios: they win over those of files, can be for one key, and name no file of the server."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from mock_server import ConflictError, MockServer
from tests.support import FIXTURES, carsxe, drawn, encoded, picture, vehicore

Parts = dict[str, tuple[str | None, str | bytes]]


def _error(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 400
    error: dict[str, Any] = reply.json()["errors"][0]
    return error


def test_a_scenario_in_json_names_a_known_picture(admin: httpx.Client, http: httpx.Client) -> None:
    """`when.image` can be the path of a known picture, or its name under `/images/`."""
    for name, image in (("by-path", "images/car.jpg"), ("by-name", "vin.jpg")):
        document = {"scenario": name, "when": {"image": image}, "reading": {"plate": f"NEW{len(name)}"}}
        assert admin.post("/scenarios", json=document).status_code == 201

    assert vehicore(http, image=picture("car")).json() == {"result": "NEW7"}
    assert vehicore(http, image=picture("vin")).json() == {"result": "NEW7"}


@pytest.mark.parametrize("written", ["json", "yaml"])
def test_a_form_has_its_own_picture(written: str, admin: httpx.Client, http: httpx.Client) -> None:
    """The part `image` is the picture; the document can be JSON or YAML."""
    document = '{"scenario": "sent", "reading": {"plate": "SENT1"}}'
    if written == "yaml":
        document = "scenario: sent\nreading: {plate: SENT1}\n"
    sent = drawn("brought along")
    made = admin.post("/scenarios", files={"scenario": (None, document), "image": ("any.png", sent)})

    assert made.status_code == 201
    assert vehicore(http, image=sent).json() == {"result": "SENT1"}
    assert http.get(made.json()["pictures"][0]).content == sent


def test_a_part_with_unusable_headers_is_refused(admin: httpx.Client) -> None:
    """The admin API leaves out no part of a form without saying so."""
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="scenario"\r\n\r\n{"scenario": "sent"}\r\n'
        b"--x\r\nContent-Type: image/png\r\n\r\nabc\r\n--x--\r\n"
    )
    reply = admin.post("/scenarios", content=parts, headers={"Content-Type": "multipart/form-data; boundary=x"})

    assert reply.status_code == 400
    assert "a part has no Content-Disposition" in reply.json()["detail"]


def test_a_picture_can_be_named_by_its_file_name(admin: httpx.Client, http: httpx.Client) -> None:
    """`when.image` can be the file name of a part in the same form."""
    document = {"scenario": "sent", "when": {"image": "mine.png"}, "reading": {"plate": "SENT2"}}
    sent = drawn("named")
    admin.post("/scenarios", files={"scenario": (None, json.dumps(document)), "image": ("mine.png", sent)})

    assert vehicore(http, image=sent).json() == {"result": "SENT2"}


@pytest.mark.parametrize(
    "path", [str(FIXTURES / "images" / "car.jpg"), "../images/car.jpg", "/etc/hostname", "images/../mock.yaml"]
)
def test_files_of_the_server_cannot_be_named(path: str, admin: httpx.Client) -> None:
    """A path is only compared with the known pictures; the file system is not searched."""
    reply = admin.post("/scenarios", json={"scenario": "spy", "when": {"image": path}})

    assert _error(reply)["pointer"] == "/when/image"
    assert admin.get("/scenarios/spy").status_code == 404


def test_a_misspelt_picture_gets_a_hint(admin: httpx.Client) -> None:
    """The hint is the most similar name, the pointer names the item of the list."""
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
    """Each mistake has a JSON pointer into the document."""
    errors = admin.post("/scenarios", json=document).json()["errors"]

    assert pointer in [error["pointer"] for error in errors]


def test_mistakes_in_yaml_have_lines(admin: httpx.Client) -> None:
    """A mistake in YAML has line and column."""
    body = b"scenario: x\nthen:\n  - outcome: raed\n"
    reply = admin.post("/scenarios", content=body, headers={"Content-Type": "application/yaml"})

    assert (_error(reply)["line"], _error(reply)["column"]) == (3, 14)


@pytest.mark.parametrize("data", [b"", b"no picture", picture("car")[:2000]], ids=["empty", "text", "cut"])
def test_a_picture_that_cannot_be_read_is_refused(data: bytes, admin: httpx.Client) -> None:
    """A broken picture is a mistake in the part `image`, and nothing is added."""
    reply = admin.post("/scenarios", files={"scenario": (None, '{"scenario": "x"}'), "image": ("a.jpg", data)})

    assert _error(reply)["part"] == "image"
    assert admin.get("/scenarios/x").status_code == 404


def test_runtime_scenarios_win_over_files(admin: httpx.Client, http: httpx.Client) -> None:
    """With the same priority and as many conditions the runtime scenario wins, however the picture was recognised."""
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


def test_a_scenario_can_be_for_one_key(mock: MockServer, admin: httpx.Client, http: httpx.Client) -> None:
    """Two keys can have their own answers to one picture; other keys get the answer of the file."""
    keys = [mock.create_account().key for _ in range(3)]
    for number, key in enumerate(keys[:2]):
        when = {"key": key, "image": "car.jpg"}
        mock.add_scenario({"scenario": f"of-{number}", "when": when, "reading": {"plate": f"KEY{number}"}})

    assert [vehicore(http, key=key).json()["result"] for key in keys] == ["KEY0", "KEY1", "9DJC652"]


@pytest.fixture
def two_keys(mock: MockServer, admin: httpx.Client) -> tuple[str, str]:
    """Two keys, each with a scenario my-car that answers the shared picture after one error."""
    keys = mock.create_account().key, mock.create_account().key
    for number, key in enumerate(keys):
        document = {
            "scenario": "my-car",
            "when": {"key": key, "image": "car.jpg"},
            "then": [{"outcome": "service_error", "times": 1}, {"outcome": "read"}],
            "reading": {"plate": f"MINE{number}"},
        }
        mock.add_scenario(document)
    return keys


def test_each_key_has_its_own_names(two_keys: tuple[str, str], mock: MockServer, http: httpx.Client) -> None:
    """Each key gets its own scenario, with its own sequence; a second one of the same key is a conflict."""
    statuses = [[vehicore(http, key=key).status_code for _ in range(2)] for key in two_keys]

    assert statuses == [[500, 200]] * 2
    assert [vehicore(http, key=key).json() for key in two_keys] == [{"result": "MINE0"}, {"result": "MINE1"}]
    with pytest.raises(ConflictError):
        mock.add_scenario({"scenario": "my-car", "when": {"key": two_keys[0]}})


def test_a_scenario_of_a_key_is_addressed_by_its_key(
    two_keys: tuple[str, str], mock: MockServer, admin: httpx.Client
) -> None:
    """Without the key the URL means the scenario that is bound to no key, even if only one key has one."""
    first, second = two_keys
    plates = [mock.scenario("my-car", key=key)["reading"]["plate"]["text"] for key in two_keys]
    ambiguous = admin.get("/scenarios/my-car")
    mock.add_scenario({"scenario": "my-car", "when": {"filename": "none"}, "reading": {"plate": "ALL1"}})
    unbound = mock.scenario("my-car")
    mock.remove_scenario("my-car")
    mock.remove_scenario("my-car", key=first)

    assert plates == ["MINE0", "MINE1"]
    assert (ambiguous.status_code, first in ambiguous.text, second in ambiguous.text) == (409, True, True)
    assert unbound["reading"]["plate"]["text"] == "ALL1"
    assert admin.get("/scenarios/my-car", params={"key": first}).status_code == 404
    for method, path in (("GET", ""), ("DELETE", ""), ("PUT", "/state"), ("GET", "/thumbnail")):
        reply = admin.request(method, f"/scenarios/my-car{path}", json={"key": "other", "position": 0})
        assert (reply.status_code, second in reply.text) == (409, True), method
    assert mock.scenario("my-car", key=second)["when"]["key"] == second


def test_a_position_is_that_of_the_scenario_without_a_key(
    two_keys: tuple[str, str], mock: MockServer, admin: httpx.Client
) -> None:
    """A URL without `?key=` means the scenario that is bound to no key, although the key has one of its own."""
    key, other = two_keys
    mock.set_state("my-car", key, 1)
    mock.add_scenario({"scenario": "my-car", "when": {"filename": "none"}, "reading": {"plate": "ALL1"}})
    mock.set_state("my-car", key, 5)
    admin.put("/scenarios/my-car/state", params={"key": other}, json={"key": other, "position": 7})

    positions = {name: mock.scenario("my-car", key=name)["positions"] for name in (None, key, other)}

    assert {name: found[0]["position"] for name, found in positions.items()} == {None: 5, key: 1, other: 7}


def test_replacing_and_positions_concern_one_key(
    two_keys: tuple[str, str], mock: MockServer, admin: httpx.Client, http: httpx.Client
) -> None:
    """A PUT replaces the scenario of its own key, and a position is that of one key's scenario."""
    first, second = two_keys
    for key in two_keys:
        mock.set_state("my-car", key, 1)
    mock.add_scenario(
        {"scenario": "my-car", "when": {"key": first, "image": "car.jpg"}, "reading": {"plate": "NEW1"}}, replace=True
    )
    wrong = admin.put("/scenarios/my-car", params={"key": second}, json={"when": {"key": first}})
    added = admin.put("/scenarios/other", params={"key": second}, json={"when": {"filename": "none"}})

    assert [vehicore(http, key=key).json() for key in two_keys] == [{"result": "NEW1"}, {"result": "MINE1"}]
    assert (wrong.status_code, added.status_code, added.json()["when"]["key"]) == (400, 201, second)
    assert mock.scenario("my-car", key=second)["positions"][0]["position"] == 2


def test_a_forced_scenario_is_that_of_the_key(two_keys: tuple[str, str], http: httpx.Client) -> None:
    """`Prefer: scenario=NAME` means the scenario of the key that asks."""
    forced = {"Prefer": "scenario=my-car"}
    replies = [vehicore(http, key=key, headers=forced) for key in two_keys for _ in range(2)]

    assert [reply.status_code for reply in replies] == [500, 200, 500, 200]
    assert [reply.json()["result"] for reply in replies[1::2]] == ["MINE0", "MINE1"]


def test_a_reset_of_a_key_deletes_its_scenarios(mock: MockServer, admin: httpx.Client) -> None:
    """Scenarios for the key are deleted; others stay."""
    key = mock.create_account().key
    mock.add_scenario({"scenario": "bound", "when": {"key": key}})
    mock.add_scenario({"scenario": "free", "when": {"filename": "nothing"}})
    mock.reset(key)

    assert admin.get("/scenarios/bound").status_code == 404
    assert admin.get("/scenarios/free").status_code == 200


def test_a_scenario_of_a_key_can_be_sent_back(admin: httpx.Client, mock: MockServer) -> None:
    """The document has its key: it can be sent back with and without `?key=`, and other keys' scenarios stay."""
    keys = [mock.create_account().key for _ in range(2)]
    for key in keys:
        mock.add_scenario({"scenario": "mine", "when": {"key": key}, "reading": {"plate": key}})
    before = [admin.get("/scenarios/mine", params={"key": key}).json() for key in keys]
    ambiguous = admin.get("/scenarios/mine")
    statuses = [admin.put("/scenarios/mine", params={"key": keys[0]}, json=before[0]).status_code]
    statuses += [admin.put("/scenarios/mine", json=document).status_code for document in before]
    after = [admin.get("/scenarios/mine", params={"key": key}).json() for key in keys]

    assert ambiguous.status_code == 409
    assert [key in ambiguous.json()["detail"] for key in keys] == [True, True]
    assert statuses == [200, 200, 200]
    assert after == before


def test_put_hides_a_scenario_and_delete_restores_it(admin: httpx.Client, http: httpx.Client) -> None:
    """A runtime scenario hides that of a file with the same name until it is deleted."""
    document = {"when": {"image": "car.jpg"}, "reading": {"plate": "HIDDEN1"}}
    statuses = [admin.put("/scenarios/car", json=document).status_code for _ in range(2)]
    hidden = vehicore(http).json()
    gone = admin.delete("/scenarios/car").status_code

    assert (statuses, hidden, gone) == ([201, 200], {"result": "HIDDEN1"}, 204)
    assert vehicore(http).json() == {"result": "9DJC652"}


def test_a_document_can_be_sent_back(admin: httpx.Client) -> None:
    """PUT accepts the document that GET returns, and creates the same scenario."""
    state = {"runtime", "file", "line", "pictures", "positions"}
    for before in admin.get("/scenarios").json()["scenarios"]:
        reply = admin.put(f"/scenarios/{before['scenario']}", json=before)

        assert reply.status_code == 201, reply.text
        after = reply.json()
        assert {name: after[name] for name in after.keys() - state} == {
            name: before[name] for name in before.keys() - state
        }


def test_replacing_a_scenario_keeps_its_picture(admin: httpx.Client, http: httpx.Client) -> None:
    """The picture that was sent with a scenario is still there after a PUT of its document."""
    sent = drawn("kept")
    parts: Parts = {"scenario": (None, '{"scenario": "kept", "reading": {"plate": "KEPT1"}}'), "image": ("a.png", sent)}
    shown = admin.post("/scenarios", files=parts).json()
    document = {"when": shown["when"], "reading": {"plate": "KEPT2"}}

    assert admin.put("/scenarios/kept", json=document).status_code == 200
    assert vehicore(http, image=sent).json() == {"result": "KEPT2"}


def test_each_key_has_a_position(admin: httpx.Client, mock: MockServer, http: httpx.Client) -> None:
    """The position of a key can be set, and a PUT of the scenario resets it."""
    steps = [{"outcome": "service_error", "times": 2}, {"outcome": "read"}]
    document = {"scenario": "flaky", "when": {"filename": "flaky.jpg"}, "then": steps, "reading": {"plate": "F1"}}
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
    assert [one["position"] for one in admin.get("/scenarios/flaky").json()["positions"]] == [1]


def test_keys_in_positions_are_redacted(admin: httpx.Client, mock: MockServer) -> None:
    """The positions have the account's name and no key."""
    account = mock.create_account(key="a-secret-key", name="somewhere")
    mock.set_state("car", account.key, 4)
    reply = admin.get("/scenarios/car")

    assert "a-secret" not in reply.text
    assert [(one["account"], one["position"]) for one in reply.json()["positions"]] == [("somewhere", 4)]


def test_a_scenario_can_match_a_url(admin: httpx.Client, http: httpx.Client) -> None:
    """A runtime scenario can match a URL without a picture."""
    document = {"scenario": "far", "when": {"url": "https://cdn.example/*"}, "reading": {"plate": "FAR1"}}
    admin.post("/scenarios", json=document)

    assert carsxe(http, reference="https://cdn.example/a.jpg").json()["results"][0]["plate"] == "far1"


def test_python_reads_local_pictures(
    mock: MockServer, admin: httpx.Client, http: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`MockServer.add_scenario` reads a picture from the working directory, from a path, or takes its bytes."""
    monkeypatch.chdir(tmp_path)
    sent = {name: drawn(name) for name in ("relative", "absolute", "bytes")}
    for name, data in sent.items():
        (tmp_path / f"{name}.png").write_bytes(data)
    images: dict[str, Any] = {"relative": "relative.png", "absolute": tmp_path / "absolute.png", "bytes": sent["bytes"]}
    for name, image in images.items():
        mock.add_scenario({"scenario": name, "when": {"image": image}, "reading": {"plate": name.upper()}})

    assert [vehicore(http, image=data).json()["result"] for data in sent.values()] == [name.upper() for name in sent]
