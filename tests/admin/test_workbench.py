"""What the dashboard works with: kept uploads, scenarios of requests, files that are written, pages of the journal."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server import MockServer
from mock_server.errors import SettingsError
from mock_server.providers.provider import Provider
from mock_server.providers.registry import PROVIDERS
from tests.support import FIXTURES, PATIENCE, call, carsxe, drawn, gallery, new_key, picture, request_to, vehicore

READING = {"plate": {"text": "AB 123", "box": [20, 60, 200, 140]}}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the tests' fixtures."""
    return Path(shutil.copytree(FIXTURES, tmp_path / "fixtures"))


@pytest.fixture
def editor(directory: Path) -> Iterator[MockServer]:
    """A server that may write into its fixtures directory."""
    with MockServer(directory, edit=True, keep_uploads=4) as server:
        yield server


@pytest.fixture
def editing(editor: MockServer) -> Iterator[httpx.Client]:
    """A client of that server's admin API."""
    with httpx.Client(base_url=f"{editor.url}/__admin", timeout=PATIENCE) as opened:
        yield opened


@pytest.fixture
def client(mock: MockServer) -> Iterator[httpx.Client]:
    """A client of the providers' endpoints."""
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as opened:
        yield opened


def make(admin: httpx.Client, id: str, **document: Any) -> httpx.Response:
    return admin.post(f"/requests/{id}/scenario", json={"scenario": "made", "reading": READING, **document})


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)
def test_the_upload_itself_comes_back(provider: Provider, client: httpx.Client, admin: httpx.Client) -> None:
    """Every provider's request leads to the bytes that were sent, with the type of their format."""
    upload = drawn("UP 1")
    id = call(client, provider, image=upload).headers["X-Mock-Request-Id"]
    reply = admin.get(f"/requests/{id}/image")

    assert (reply.content, reply.headers["content-type"]) == (upload, "image/png")
    assert "sandbox" in reply.headers["content-security-policy"]
    assert admin.get("/uploads").json() == {"requests": [id]}


def test_an_upload_that_is_no_picture_comes_back_as_bytes(client: httpx.Client, admin: httpx.Client) -> None:
    """A browser does not run what a client sent: the type says nothing."""
    id = vehicore(client, image=b"<script>alert(1)</script>").headers["X-Mock-Request-Id"]
    reply = admin.get(f"/requests/{id}/image")

    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/octet-stream")


def test_a_reset_drops_uploads(client: httpx.Client, admin: httpx.Client, mock: MockServer) -> None:
    """The reset of a key drops the uploads of its requests; a reset of everything drops all of them."""
    mine, other = new_key(mock), new_key(mock)
    vehicore(client, image=drawn("K 1"), key=mine)
    id = vehicore(client, image=drawn("K 2"), key=other).headers["X-Mock-Request-Id"]
    admin.post("/reset", params={"key": mine})
    left = admin.get("/uploads").json()["requests"]
    admin.post("/reset")

    assert left == [id]
    assert len(mock.app.control.uploads) == 0


def test_without_the_setting_no_upload_is_kept(directory: Path) -> None:
    """`MockServer` keeps none; the reply says how to keep them."""
    with MockServer(directory) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        id = vehicore(client).headers["X-Mock-Request-Id"]
        reply = client.get(f"/__admin/requests/{id}/image")

    assert (reply.status_code, "--keep-uploads" in reply.json()["detail"]) == (404, True)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)
def test_a_request_becomes_a_scenario(provider: Provider, client: httpx.Client, admin: httpx.Client) -> None:
    """The picture of the request is recognised from then on, also re-encoded, by every provider."""
    upload = drawn("SC 1", size=(640, 480))
    id = call(client, provider, image=upload).headers["X-Mock-Request-Id"]
    made = make(admin, id)
    again = call(client, provider, image=drawn("SC 1", size=(640, 480), format="JPEG"))

    assert (made.status_code, made.headers["location"]) == (201, "/__admin/scenarios/made")
    assert (again.headers["X-Mock-Scenario"], again.headers["X-Mock-Match"]) == ("made", "perceptual")
    assert make(admin, id).status_code == 409
    assert make(admin, id, replace=True).status_code == 201


def test_conditions_and_steps_go_into_the_scenario(client: httpx.Client, admin: httpx.Client) -> None:
    """What the document has beside the picture is kept."""
    id = vehicore(client, image=drawn("CO 1")).headers["X-Mock-Request-Id"]
    then = [{"outcome": "service_error", "times": 1}, {"outcome": "read"}]
    scenario = make(admin, id, when={"key": "demo-key"}, then=then, description="Why").json()

    assert scenario["when"]["key"] == "demo-key"
    assert (len(scenario["when"]["image"]), scenario["then"], scenario["description"]) == (1, then, "Why")


def test_a_url_becomes_a_condition(client: httpx.Client, admin: httpx.Client) -> None:
    """A picture of the gallery is named; another URL is recognised with any query."""
    known = carsxe(client, reference=gallery(client, "car")).headers["X-Mock-Request-Id"]
    other = carsxe(client, reference="https://pictures.example/a.jpg?sig=1").headers["X-Mock-Request-Id"]
    of_gallery = make(admin, known, scenario="of-gallery").json()
    make(admin, other, scenario="of-url")

    assert of_gallery["when"]["image"] == ["images/car.jpg"]
    assert carsxe(client, reference="https://pictures.example/a.jpg?sig=2").headers["X-Mock-Scenario"] == "of-url"


def test_a_request_without_picture_and_url_is_refused(admin: httpx.Client, client: httpx.Client) -> None:
    """There is nothing to recognise the next request by."""
    id = client.post("/api/ocr/plate", headers={"X-API-Key": "demo-key"}).headers["X-Mock-Request-Id"]

    assert make(admin, id).status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"save": "nowhere"}, "/save"),
        ({"scenario": "Bad Name"}, "/scenario"),
        ({"scenario": "../../etc"}, "/scenario"),
        ({"reading": {"plate": {"text": "A", "box": [5, 5, 1, 1]}}}, "/reading/plate/box"),
        ({"replace": "yes"}, "/replace"),
        ({"sav": "files"}, "/sav"),
        ({"when": []}, "/when"),
    ],
)
def test_mistakes_have_their_places(
    changes: dict[str, Any], pointer: str, client: httpx.Client, admin: httpx.Client
) -> None:
    """Nothing is added, and the place is a JSON pointer into what was sent."""
    id = vehicore(client, image=drawn("MI 1")).headers["X-Mock-Request-Id"]
    reply = make(admin, id, **changes)

    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (400, pointer)


def test_files_are_written_only_with_edit(client: httpx.Client, admin: httpx.Client) -> None:
    """Without --edit, saving to files is a conflict that names the flag."""
    id = vehicore(client, image=drawn("ED 1")).headers["X-Mock-Request-Id"]
    reply = make(admin, id, save="files")

    assert (reply.status_code, "--edit" in reply.json()["detail"]) == (409, True)


def test_a_saved_scenario_is_a_good_fixture_file(editor: MockServer, editing: httpx.Client, directory: Path) -> None:
    """The file and the picture are in the directory, it loads without mistakes, and it is served at once."""
    from mock_server.scenarios.load import load

    upload = drawn("FI 1")
    with httpx.Client(base_url=editor.url, timeout=PATIENCE) as client:
        id = vehicore(client, image=upload).headers["X-Mock-Request-Id"]
        reading = {"plate": {"text": "007", "box": [20, 60, 200, 140]}}
        reply = make(editing, id, save="files", reading=reading)
        answer = vehicore(client, image=upload)
    (scenario,) = [one for one in load(directory).set.scenarios if one.name == "made"]

    assert (reply.status_code, reply.json()["file"]) == (201, "scenarios/made.yaml")
    assert scenario.reading.plates[0].text == "007"
    assert answer.json() == {"result": "007"}
    assert (directory / "images" / "made.png").read_bytes() == upload


def test_nothing_is_written_outside_the_directory(
    editor: MockServer, editing: httpx.Client, directory: Path, tmp_path: Path
) -> None:
    """Links that lead out are refused, for the file and for the picture."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "target.yaml").write_text("untouched")
    (directory / "scenarios" / "linked.yaml").symlink_to(outside / "target.yaml")
    images = directory / "images"
    images.rename(outside / "images")
    images.symlink_to(outside / "images")
    with httpx.Client(base_url=editor.url, timeout=PATIENCE) as client:
        id = vehicore(client, image=drawn("OU 1")).headers["X-Mock-Request-Id"]
        statuses = [
            make(editing, id, save="files", scenario=name, replace=True).status_code for name in ("made", "linked")
        ]

    assert all(status in (400, 409) for status in statuses)
    assert (outside / "target.yaml").read_text() == "untouched"
    assert sorted(path.name for path in outside.iterdir()) == ["images", "target.yaml"]
    assert not (outside / "images" / "made.png").exists()


def test_a_file_that_would_break_the_fixtures_is_not_left_behind(editor: MockServer, directory: Path) -> None:
    """All files are as before if the directory cannot be loaded with the new one."""
    before = sorted(path.name for path in directory.rglob("*"))
    document = {"scenario": "made", "when": {"account": "nobody-there"}, "then": "service_error"}
    reply = httpx.put(f"{editor.url}/__admin/scenarios/made/file", json=document, timeout=PATIENCE)

    assert reply.status_code == 400
    assert [name for name in sorted(path.name for path in directory.rglob("*")) if name not in before] == []


def test_edit_needs_a_directory_of_ones_own() -> None:
    """The shipped fixtures are not changed."""
    with pytest.raises(SettingsError, match="fixtures directory of your own"), MockServer(edit=True):
        pass


def test_the_box_of_a_text_is_proposed(admin: httpx.Client) -> None:
    """As `add` proposes it: around the text where it is certain, else none."""
    car = {"image": ("car.jpg", picture("car"))}
    xmin, ymin, xmax, ymax = admin.post("/box", files=car, data={"text": "9DJC652"}).json()["box"]
    unsure = admin.post("/box", files=car, data={"text": "9DJC65212345"}).json()

    assert xmin < 480 < xmax
    assert ymin < 412 < ymax
    assert unsure == {"box": None}


def test_a_check_adds_nothing(admin: httpx.Client) -> None:
    """A good document comes back as the text of its file, a bad one as its mistakes."""
    good = admin.post("/scenarios/validate", json={"scenario": "x", "when": {"image": "new.jpg"}, "reading": READING})
    bad = admin.post("/scenarios/validate", json={"scenario": "x", "then": "servce_error"}).json()

    assert "image: new.jpg" in good.json()["yaml"]
    assert (bad["yaml"], bad["mistakes"][0]["pointer"]) == (None, "/then")
    assert "service_error" in bad["mistakes"][0]["hint"]
    assert admin.get("/scenarios/x").status_code == 404


def test_the_calls_of_the_workbench_are_the_providers_own(
    mock: MockServer, admin: httpx.Client, client: httpx.Client
) -> None:
    """A browser that fills in the key and the picture sends what the provider's example call sends."""
    for view, provider in zip(admin.get("/workbench").json()["providers"], PROVIDERS, strict=True):
        for product, shown in view["calls"].items():
            real = request_to(client, provider, product, key="KEY")
            query = "&".join(f"{name}={value}" for name, value in shown["query"].items()).replace("{key}", "KEY")

            assert real.url.path + (f"?{real.url.query.decode()}" if real.url.query else "") == shown["path"] + (
                f"?{query}" if query else ""
            )
            assert bool(shown["json"]) != bool(shown["upload"])


def test_a_known_document_is_not_sent_again(admin: httpx.Client) -> None:
    """The tag of a reply brings a 304 without a body, until the document changes."""
    first = admin.get("/accounts")
    again = admin.get("/accounts", headers={"If-None-Match": first.headers["etag"]})
    admin.post("/accounts", json={"name": "new"})
    changed = admin.get("/accounts", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200


def test_chaos_is_paused_until_a_reset(directory: Path) -> None:
    """The chaos of mock.yaml ends for all requests, and a reset brings it back."""
    mock_file = directory / "mock.yaml"
    mock_file.write_text(mock_file.read_text() + "\nchaos: {service_error: 100%}\n")
    statuses = []
    with MockServer(directory) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        for method, path in (
            ("GET", "chaos"),
            ("DELETE", "chaos"),
            ("PUT", "chaos"),
            ("DELETE", "chaos"),
            ("POST", "reset"),
        ):
            client.request(method, f"/__admin/{path}")
            statuses.append(vehicore(client).status_code)

    assert statuses == [500, 200, 500, 200, 500]


def test_pages_of_the_journal(client: httpx.Client, admin: httpx.Client) -> None:
    """`after` and `before` cut the list; an id that is gone begins it anew, and the reply says so."""
    ids = [vehicore(client).headers["X-Mock-Request-Id"] for _ in range(4)]

    def page(**parameters: str) -> tuple[list[str], bool]:
        found = admin.get("/requests", params=parameters).json()
        return [one["id"] for one in found["requests"]], found["continued"]

    assert page(after=ids[1]) == (ids[2:], True)
    assert page(before=ids[2]) == (ids[:2], False)
    assert page(before=ids[2], limit="1") == (ids[1:2], False)
    assert page(after="0000000000000000") == (ids, False)


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"search": "9djc"}, 2),
        ({"search": "9djc PHONE"}, 1),
        ({"text": "9djc652", "parts": "true"}, 2),
        ({"text": "9djc652"}, 0),
        ({"text": "9DJC652"}, 2),
        ({"account": "EM", "parts": "true"}, 2),
        ({"scenario": "-", "parts": "true"}, 0),
        ({"outcome": "read", "parts": "true"}, 2),
        ({"search": "nothing-has-this"}, 0),
    ],
)
def test_filters_match_parts(parameters: dict[str, str], count: int, client: httpx.Client, admin: httpx.Client) -> None:
    """Words are searched in all texts; with `parts`, a part of a text is enough. Exact filters stay exact."""
    vehicore(client, filename="from-phone.jpg")
    vehicore(client)

    assert admin.get("/requests", params=parameters).json()["total"] == count
