"""`/export`: a directory with which another server behaves the same."""

import io
import itertools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from PIL import Image

from mock_server import MockServer
from mock_server.errors import ConflictError, RefusedError
from mock_server.providers.registry import vocabulary
from mock_server.scenarios.load import load
from mock_server.scenarios.mock_reader import AccountModel, MockModel
from mock_server.settings import shipped_fixtures
from tests.support import CARSXE_PATHS, FIXTURES, PATIENCE, drawn, encoded, picture, vehicore

Answer = tuple[int, str, str, bytes]
"""Status, scenario, kind of match, body."""


@contextmanager
def exported(original: MockServer, directory: Path, **settings: Any) -> Iterator[MockServer]:
    """A server on the export of another one."""
    original.export(directory)
    with MockServer(directory, **settings) as copy:
        yield copy


def answers(mock: MockServer, requests: list[dict[str, Any]]) -> list[Answer]:
    """The answers of a server to a list of requests, which give a path or the name of a picture."""
    found = []
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        for request in requests:
            sent = dict(request)
            if "gallery" in sent:
                sent["json"] = {"image_url": f"{mock.url}/images/{sent.pop('gallery')}"}
            reply = client.request("POST", **sent)
            scenario, match = (reply.headers[f"x-mock-{name}"] for name in ("scenario", "match"))
            found.append((reply.status_code, scenario, match, reply.content))
    return found


def upload(image: bytes, product: str = "plate", key: str = "demo-key", filename: str = "photo.jpg") -> dict[str, Any]:
    """A request to VehiCore."""
    files = {"image": (filename, image)}
    return {"url": f"/api/ocr/{product}", "files": files, "headers": {"X-API-Key": key}}


def reference(name: str, product: str = "plate", key: str = "demo-key") -> dict[str, Any]:
    """A request to CarsXE with a picture of the server's own gallery."""
    return {"url": CARSXE_PATHS[product], "params": {"key": key}, "gallery": name}


def test_shipped_fixtures(tmp_path: Path) -> None:
    """Every shipped picture, sent to both products of both providers, gets the same bytes; so do the shipped keys."""
    pictures = sorted((shipped_fixtures() / "images").iterdir())
    requests = [
        request
        for path, product in itertools.product(pictures, ("plate", "vin"))
        for request in (upload(path.read_bytes(), product), reference(path.name, product))
    ]
    image = (shipped_fixtures() / "images" / "california-sedan.jpg").read_bytes()
    smaller = encoded(Image.open(io.BytesIO(image)).resize((480, 360)), "JPEG", quality=70)
    requests += [upload(smaller), upload(drawn("stranger")), upload(b"no picture")]
    keys = ("no-credits", "one-credit", "inactive-key", "disabled-key", "blocked-key", "basic-plan-key", "unknown")
    requests += [upload(image, key=key) for key in (*keys, "one-credit")]
    with MockServer() as original, exported(original, tmp_path / "copy") as copy:
        assert answers(copy, requests) == answers(original, requests)
        assert copy.accounts() == original.accounts()
    assert sorted(path.name for path in (tmp_path / "copy" / "scenarios").iterdir()) == sorted(
        path.name for path in (shipped_fixtures() / "scenarios").iterdir()
    )


CAR, OTHER = picture("car"), drawn("A new one", (640, 480))
RUNTIME: list[dict[str, Any]] = [
    # Same conditions as a scenario of a file: it takes all requests of that one, and has no reading of its own.
    {"scenario": "over-the-file", "when": {"image": "car.jpg"}, "then": [{"outcome": "service_error"}, "read"]},
    {"scenario": "new", "when": {"image": OTHER}, "reading": {"plate": {"text": "NEW 1", "box": [64, 150, 300, 260]}}},
    {"scenario": "of-a-key", "when": {"image": OTHER, "key": "key: #1"}, "reading": {"plates": ["NO", "007", "1E10"]}},
    {"scenario": "of-a-key", "when": {"image": OTHER, "key": "'two'"}, "reading": {"vin": "JHLRD77874C026456"}},
    {"scenario": "odd", "when": {"header": {"X-Odd": "*: [a]"}, "filename": "&{odd}, *"}, "then": "out_of_credits"},
    {
        "scenario": "texts",
        "description": "yes: 'no' # \"x\"\n  ünï — \u2028\t…",
        "when": {"filename": "texts*", "properties": {"min_width": 10}},
        "then": {"outcome": "service_error", "message": " - a: b\n\n#c ", "headers": {"X-A": "~", "x-b": "null"}},
    },
    {"scenario": "texts-later", "when": {"filename": "texts*", "properties": {"min_width": 10}}, "then": "no_text"},
    {
        "scenario": "steps",
        "when": {"filename": "steps*"},
        "priority": 2,
        "reading": {"plate": {"text": "~", "score": 0.5, "vehicle": {"type": "on", "box": [1, 2, 9, 9]}}},
        "then": [
            {"outcome": "read", "times": 2, "trouble": {"confuse": 0, "score": [0.2, 0.9]}},
            {"outcome": "nothing_found", "variant": "empty_results", "delay": {"uniform": ["1ms", "3ms"]}},
        ],
        "repeat": "cycle",
    },
    {
        "scenario": "written",
        "when": {"filename": "written*"},
        "then": [
            {"reply": {"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<p>\r\n ü: '\"x\t</p>\n"}},
            {"reply": {"status": 204}},
            {"outcome": "out_of_credits", "chance": "12.5%"},
            {"outcome": "read", "omit": ["result"], "add": {"a.b": [1, None, True, "x", 1.5, {"c": "007"}]}},
        ],
        "reading": {"plate": {"text": "null", "score": "none", "vehicle": "none", "candidates": "none"}},
    },
    {"scenario": "nobody", "when": {"key": "no-such-key"}, "then": "service_error"},
    {"scenario": "boxed", "when": {"image": drawn("boxed")}, "reading": {"vin": {"text": "X", "box": [0, 0, 9999, 9]}}},
]


def test_runtime_scenarios(tmp_path: Path) -> None:
    """They keep their precedence, their pictures, their keys and every text."""
    requests = [
        *[upload(CAR) for _ in range(3)],
        *[upload(OTHER, product, key) for product in ("plate", "vin") for key in ("demo-key", "key: #1", "'two'")],
        upload(encoded(Image.open(io.BytesIO(OTHER)).convert("RGB"), "JPEG", quality=80)),
        upload(CAR, filename="texts.jpg"),
        upload(CAR, filename="&{odd}, x") | {"headers": {"X-API-Key": "demo-key", "X-Odd": "z: [a"}},
        *[upload(CAR, filename="steps.jpg") for _ in range(7)],
        *[upload(CAR, filename="written.jpg") for _ in range(12)],
        {**reference("car.jpg"), "headers": {"Prefer": "scenario=written"}},
        *[{**reference("car.jpg"), "headers": {"Prefer": f"scenario={name}"}} for name in ("steps", "nobody", "car")],
        *[{**upload(CAR), "headers": {"X-API-Key": "demo-key", "Prefer": "scenario=car"}}],
        upload(drawn("boxed"), "vin"),
    ]
    with MockServer(FIXTURES) as original:
        for number, key in enumerate(("key: #1", "'two'")):
            original.create_account(key=key, name="the same", quota={"plate": {"limit": 9, "used": number}})
        for scenario in RUNTIME:
            original.add_scenario(scenario)
        pictures = [
            reference(path.removeprefix("/images/")) for one in original.scenarios() for path in one["pictures"]
        ]
        requests += pictures
        with exported(original, tmp_path / "copy") as copy, MockServer(FIXTURES) as files_only:
            expected = answers(original, requests)
            assert answers(copy, requests) == expected
            assert answers(files_only, requests[: -len(pictures)]) != expected[: -len(pictures)]
            ours, theirs = ([_document(one) for one in mock.scenarios()] for mock in (original, copy))
            assert theirs == ours
            # And the copy of the copy.
            with exported(copy, tmp_path / "second") as second:
                assert [_document(one) for one in second.scenarios()] == ours


def test_texts_that_yaml_or_the_environment_could_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """References to variables that are no references, rare line breaks, large numbers and keys such as `<<`."""
    monkeypatch.setenv("CITY", "Lima")
    text = "a\r\x85\u2028\u2029b ${CITY} $${CITY}"
    files = tmp_path / "files"
    (files / "scenarios").mkdir(parents=True)
    (files / "mock.yaml").write_text("accounts: [{name: a, key: 'a-${CITY}-$${CITY}'}]\nchaos: {no_text: 0.00001%}\n")
    (files / "scenarios" / "a.yaml").write_text(
        "scenario: a\nwhen: {key: 'a-${CITY}-$${CITY}', url: '*/$${CITY}/${CITY}'}\n"
    )
    scenario = {
        "scenario": "odd",
        "when": {"key": "k$${CITY}", "url": "*${CITY}*", "filename": "${CITY}"},
        "reading": {"plate": text},
        "then": {"message": text, "chance": "33.333333333%", "add": {"x": {"<<": {"y": [2**63 - 1, -(2**63)]}}}},
    }
    with MockServer(files) as original:
        original.create_account(key="k${CITY}")
        original.add_scenario(scenario)
        with exported(original, tmp_path / "copy") as copy:
            assert [_document(one) for one in copy.scenarios()] == [_document(one) for one in original.scenarios()]
            assert [account.key for account in copy.accounts()] == ["a-Lima-${CITY}", "k${CITY}"]
            assert copy.app.control.pipeline.library.fixtures.defaults.chaos == {"no_text": 0.0000001}


def _document(scenario: dict[str, Any]) -> dict[str, Any]:
    """A scenario without its place."""
    state = ("runtime", "file", "line", "positions")
    kept = {name: value for name, value in scenario.items() if name not in state}
    return kept | {"when": {**kept["when"], "image": kept["pictures"]}}


def test_a_later_runtime_scenario_wins_over_an_exported_one(tmp_path: Path) -> None:
    """Exported scenarios lie over those of the files, and what is added later lies over them."""
    with MockServer(FIXTURES) as original:
        original.add_scenario({"scenario": "first", "when": {"image": "car.jpg"}, "reading": {"plate": "FIRST"}})
        with exported(original, tmp_path / "copy") as copy, httpx.Client(base_url=copy.url, timeout=PATIENCE) as client:
            copy.add_scenario({"scenario": "later", "when": {"image": "car.jpg"}, "reading": {"plate": "LATER"}})
            added = vehicore(client).json()
            copy.remove_scenario("later")
            removed = vehicore(client).json()

    assert (added, removed) == ({"result": "LATER"}, {"result": "FIRST"})


def test_accounts_are_as_declared(tmp_path: Path) -> None:
    """Not what was spent, nor what was changed since; accounts that were added or deleted at run time count."""
    with MockServer(FIXTURES) as original, httpx.Client(base_url=original.url, timeout=PATIENCE) as client:
        limits: dict[str, Any] = {"credits": {"plate": 3}, "quota": {"plate": {"limit": 5, "used": 2}}}
        original.create_account(key="new", plans=["plate"], **limits)
        before = original.account("new")
        assert vehicore(client, key="new").status_code == 200
        original.update_account("new", status="blocked", credits={"plate": 9})
        original.export(tmp_path / "copy")

    with MockServer(tmp_path / "copy") as copy:
        assert copy.account("new") == before


def test_every_setting_of_mock_yaml(tmp_path: Path) -> None:
    """Accounts and defaults come back as they are. The admin token is left out, and so are flags."""
    files = tmp_path / "files"
    (files / "scenarios").mkdir(parents=True)
    (files / "mock.yaml").write_text(
        "unmatched: nothing_found\nstrict: true\ndelay: {lognormal: {median: 1ms, sigma: 0.1, max: 2ms}}\n"
        "charge: {vehicore: [read, no_text], '*': []}\ncarsxe: {nothing_found: empty_results}\n"
        "vehicore: {no_text: validation_error}\nchaos: {service_error: 2.5%, rate_limited: 1%}\n"
        "fetch: [a.test, '*.b.test']\nseed: 7\nadmin-token: s3cret\n"
        "accounts:\n"
        "  - {name: a, key: '007', status: inactive, plans: [vin], credits: {plate: 0}, tier: 'no', overage: true}\n"
        "  - {name: b, key: 'k: #', quota: {plate: {limit: unlimited, used: 4}, vin: 2}, quota_period: never}\n"
        "  - {name: c, key: ü, rate_limit: 5/second, plans: []}\n"
        "  - {name: d, key: d, quota: {shared: {limit: 8, used: 3}}, wallet: true}\n"
        "  - {name: e, key: e, quota: {shared: 8}}\n"
    )
    with MockServer(files, seed=9, unmatched="error", max_body=1_000_000) as original:
        original.export(tmp_path / "copy")
    ours, theirs = (load(directory, vocabulary=vocabulary()).set for directory in (files, tmp_path / "copy"))
    settings = {name: text for name, text in ours.defaults.settings.items() if name != "admin_token"}
    written = (tmp_path / "copy" / "mock.yaml").read_text("utf-8")

    assert theirs.accounts == ours.accounts
    assert theirs.defaults.settings == settings
    assert replace(theirs.defaults, settings={}) == replace(ours.defaults, settings={})
    given = yaml.safe_load((files / "mock.yaml").read_text("utf-8"))
    assert set(MockModel.model_fields) <= given.keys()
    assert set(AccountModel.model_fields) <= {name for account in given["accounts"] for name in account}
    assert "s3cret" not in written
    assert "max_body" not in written


def test_pictures_anywhere(tmp_path: Path) -> None:
    """Pictures beside their scenario files, with odd names and without a scenario keep their names in the gallery."""
    files = tmp_path / "files"
    for path, image in {
        "scenarios/deep/er/a #1.png": drawn("a"),
        "images/ü 2.png": drawn("b"),
        "pics/c": drawn("c"),
    }.items():
        (files / path).parent.mkdir(parents=True, exist_ok=True)
        (files / path).write_bytes(image)
    (files / "mock.yaml").write_text("unmatched: nothing_found\n")
    (files / "scenarios" / "deep" / "er" / "two.yaml").write_text(
        "scenario: zz\nwhen: {image: 'a #1.png'}\nreading: {plate: ZZ}\n---\n"
        "scenario: aa\nwhen: {image: [../../../pics/c, 'a #1.png'], product: plate}\nreading: {plate: AA}\n"
    )
    names = ("scenarios/deep/er/a%20%231.png", "%C3%BC%202.png", "pics/c")
    requests = [upload(drawn(text)) for text in "abc"] + [reference(name) for name in names]
    with MockServer(files) as original, exported(original, tmp_path / "copy") as copy:
        found = answers(copy, requests)
        assert found == answers(original, requests)

    assert [scenario for _, scenario, _, _ in found] == ["aa", "-", "aa"] * 2


def test_bodies_of_replies(tmp_path: Path) -> None:
    """A body from a file is text in the scenario, or a file again if it is no text."""
    files = tmp_path / "files"
    (files / "scenarios" / "deep").mkdir(parents=True)
    (files / "scenarios" / "page.html").write_text("<html>: #ü\n")
    (files / "data.bin").write_bytes(bytes(range(256)))
    (files / "scenarios" / "deep" / "replies.yaml").write_text(
        "scenario: replies\nwhen: {filename: '*'}\nthen:\n  - {reply: {body_file: ../page.html}}\n"
        "  - {reply: {status: 200, headers: {Content-Type: application/x-odd}, body_file: ../../data.bin}}\n"
    )
    requests = [upload(drawn())] * 2
    with MockServer(files) as original, exported(original, tmp_path / "copy") as copy:
        found = answers(copy, requests)
        assert found == answers(original, requests)

    assert [body for _, _, _, body in found] == ["<html>: #ü\n".encode(), bytes(range(256))]


def test_the_zip_file(admin: httpx.Client) -> None:
    """It is a download with mock.yaml, scenarios and images; the same state gives the same bytes."""
    first, second = (admin.get("/export") for _ in range(2))
    archive = zipfile.ZipFile(io.BytesIO(first.content))

    assert first.headers["content-type"] == "application/zip"
    assert "fixtures.zip" in first.headers["content-disposition"]
    assert first.content == second.content
    assert {name.split("/")[0] for name in archive.namelist()} == {"mock.yaml", "scenarios", "images"}
    assert yaml.safe_load(archive.read("mock.yaml"))["accounts"][0]["key"] == "demo-key"


def test_a_picture_that_is_gone(tmp_path: Path) -> None:
    """An export without a picture would behave differently, so it is refused."""
    files = tmp_path / "files"
    (files / "scenarios").mkdir(parents=True)
    (files / "a.png").write_bytes(drawn())
    (files / "scenarios" / "a.yaml").write_text("scenario: a\nwhen: {image: ../a.png}\n")
    with MockServer(files) as original:
        (files / "a.png").unlink()
        with pytest.raises(ConflictError, match=r"a\.png is no longer there"):
            original.export(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def archive_of(**files: bytes) -> bytes:
    """A zip file; `__` in a name stands for a slash."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


class Sender(MockServer):
    """A mock whose export is any bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def _send(self, method: str, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
        return 200, self._data


MOCK = {"mock.yaml": b"accounts: []\n"}


@pytest.mark.parametrize(
    "name",
    [
        "../outside.yaml",
        "scenarios/../../outside.yaml",
        "/tmp/outside.yaml",
        "images/..\\..\\outside.jpg",
        "C:/outside.yaml",
        "elsewhere.txt",
        ".ssh/authorized_keys",
        "images",
    ],
)
def test_no_file_leads_out_of_the_directory(name: str, tmp_path: Path) -> None:
    """A zip file with a path that no export has is refused as a whole."""
    with pytest.raises(RefusedError, match="wrong place"):
        Sender(archive_of(**MOCK, **{name: b"x"})).export(tmp_path / "copy")
    assert list(tmp_path.rglob("*")) == []


def test_links_are_refused(tmp_path: Path) -> None:
    """A symbolic link in the zip file, or in the directory, could lead the next file out of it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("mock.yaml", b"")
        link = zipfile.ZipInfo("images/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mock.yaml").touch()
    (tmp_path / "copy" / "images").symlink_to(tmp_path)

    with pytest.raises(RefusedError, match="wrong place"):
        Sender(data.getvalue()).export(tmp_path / "other")
    with pytest.raises(ConflictError, match="images is a symbolic link"):
        Sender(archive_of(**MOCK, **{"images/a.jpg": b"x"})).export(tmp_path / "copy", replace=True)
    assert not (tmp_path / "a.jpg").exists()


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", archive_of(a=b"x"), archive_of(**MOCK)[:-30]],
    ids=["empty", "web page", "other files", "cut off"],
)
def test_other_answers_are_refused(data: bytes, tmp_path: Path) -> None:
    """What is no zip file of an export is no reason to touch the directory."""
    with pytest.raises(RefusedError, match="did not send an export"):
        Sender(data).export(tmp_path / "copy")
    assert list(tmp_path.rglob("*")) == []


def test_what_is_replaced(tmp_path: Path) -> None:
    """A directory with files needs `replace`, and fixtures. Then old fixtures are removed and other files stay."""
    for name in ("mock.yaml", "README.md", "scenarios/old.yaml", "images/old.jpg"):
        (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / name).write_text("scenario: old\n")
    (tmp_path / "home" / "images").mkdir(parents=True)
    sender = Sender(archive_of(**MOCK, **{"scenarios/new.yaml": b"scenario: new\n"}))

    with pytest.raises(ConflictError, match="is not empty"):
        sender.export(tmp_path / "copy")
    with pytest.raises(ConflictError, match=r"contains neither mock\.yaml nor scenarios/"):
        sender.export(tmp_path / "home", replace=True)
    sender.export(tmp_path / "copy", replace=True)
    found = {
        path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*") if path.is_file()
    }

    assert found == {"mock.yaml", "README.md", "scenarios/new.yaml"}
    assert (tmp_path / "copy" / "mock.yaml").read_bytes() == MOCK["mock.yaml"]
