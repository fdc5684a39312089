"""Hot reload through a running server."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mock_server import MockServer
from mock_server.settings import shipped_fixtures
from tests.support import PATIENCE, eventually

PICTURE = (shipped_fixtures() / "images" / "california-sedan.jpg").read_bytes()
SCENARIO = "scenario: car\nwhen: {{image: ../images/car.jpg}}\nreading: {{plate: {plate}}}\nthen: {then}\n"


@pytest.fixture
def fixtures(tmp_path: Path) -> Path:
    """A directory with one scenario of one picture."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "car.jpg").write_bytes(PICTURE)
    (tmp_path / "scenarios" / "car.yaml").write_text(SCENARIO.format(plate="AAA111", then="[read]"))
    return tmp_path


@pytest.fixture
def server(fixtures: Path) -> Iterator[MockServer]:
    """A server that watches the directory."""
    with MockServer(fixtures, watch=True, cache=False) as mock:
        yield mock


def read(server: MockServer, key: str = "demo-key") -> httpx.Response:
    """The reply to the picture."""
    return httpx.post(
        f"{server.url}/api/ocr/plate", headers={"X-API-Key": key}, files={"image": PICTURE}, timeout=PATIENCE
    )


def test_a_saved_file_goes_live(server: MockServer, fixtures: Path) -> None:
    """A changed reading is served without a restart."""
    assert read(server).json() == {"result": "AAA111"}

    (fixtures / "scenarios" / "car.yaml").write_text(SCENARIO.format(plate="BBB222", then="[read]"))

    assert eventually(lambda: read(server).json() == {"result": "BBB222"})


def test_a_bad_file_changes_nothing(server: MockServer, fixtures: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake is logged with its place, and the last good set is served."""
    with caplog.at_level(logging.ERROR):
        (fixtures / "scenarios" / "car.yaml").write_text("scenario: car\nwhen: {imagee: x}\n")
        found = eventually(lambda: "car.yaml:2:8" in caplog.text)

    assert found
    assert read(server).json() == {"result": "AAA111"}


def test_counters_survive_a_reload(server: MockServer, fixtures: Path) -> None:
    """A sequence keeps its position if the scenario keeps its name."""
    steps = "[{outcome: service_error, times: 2}, {outcome: read}]"
    (fixtures / "scenarios" / "car.yaml").write_text(SCENARIO.format(plate="AAA111", then=steps))
    assert eventually(lambda: read(server, "demo-key").status_code == 500)

    (fixtures / "scenarios" / "car.yaml").write_text(SCENARIO.format(plate="CCC333", then=steps))

    assert eventually(lambda: read(server).json() == {"result": "CCC333"})
    assert [read(server).status_code for _ in range(2)] == [200, 200]


def test_accounts_follow_the_file(server: MockServer, fixtures: Path) -> None:
    """An account that is added to the file is created, one that is removed is deleted; a runtime account stays."""
    made = server.create_account()
    (fixtures / "mock.yaml").write_text("accounts:\n  - {name: new, key: new-key}\n")

    assert eventually(lambda: read(server, "new-key").status_code == 200)
    assert read(server, "demo-key").status_code == 401
    assert read(server, made.key).status_code == 200


def test_defaults_follow_the_file(server: MockServer, fixtures: Path) -> None:
    """What happens to unknown pictures can be changed without a restart."""
    other = (shipped_fixtures() / "images" / "texas-pickup.jpg").read_bytes()

    def result() -> object:
        reply = httpx.post(
            f"{server.url}/api/ocr/plate", headers={"X-API-Key": "demo-key"}, files={"image": other}, timeout=PATIENCE
        )
        return reply.json()["result"]

    assert result() != ""

    (fixtures / "mock.yaml").write_text("unmatched: nothing_found\n")

    assert eventually(lambda: result() == "")


def test_a_new_picture_is_recognised(server: MockServer, fixtures: Path) -> None:
    """A picture that is replaced on disk is recognised after the reload."""
    other = (shipped_fixtures() / "images" / "texas-pickup.jpg").read_bytes()
    (fixtures / "images" / "car.jpg").write_bytes(other)

    def reply() -> httpx.Response:
        return httpx.post(
            f"{server.url}/api/ocr/plate", headers={"X-API-Key": "demo-key"}, files={"image": other}, timeout=PATIENCE
        )

    assert eventually(lambda: reply().json() == {"result": "AAA111"})
    assert reply().headers["x-mock-match"] == "sha256"


def test_pictures_that_no_scenario_names_are_shown(server: MockServer, fixtures: Path) -> None:
    """Every picture in `images/` is in the gallery, as a URL for CarsXE too; a link out of the directory is not."""
    (fixtures / "images" / "spare").mkdir()
    (fixtures / "images" / "spare" / "more.jpg").write_bytes(PICTURE)
    (fixtures / "images" / "out.jpg").symlink_to(shipped_fixtures() / "images" / "texas-pickup.jpg")
    (fixtures / "mock.yaml").write_text("unmatched: nothing_found\n")

    assert eventually(lambda: httpx.get(f"{server.url}/images/spare/more.jpg", timeout=PATIENCE).content == PICTURE)
    assert httpx.get(f"{server.url}/images/out.jpg", timeout=PATIENCE).status_code == 404
    reply = httpx.post(
        f"{server.url}/platerecognition?key=demo-key",
        json={"image_url": f"{server.url}/images/spare/more.jpg"},
        timeout=PATIENCE,
    )
    assert reply.json()["results"][0]["plate"] == "aaa111"


_RELOADS = """
import asyncio, gc, io, json, sys
from pathlib import Path
from mock_server.app import create_app

async def count_after_reloads():
    app = create_app({"fixtures": sys.argv[1], "cache": False}, foreground=True, log_stream=io.StringIO())
    changing = Path(sys.argv[1], "scenarios", "0.yaml")
    good = changing.read_text()
    counts = []
    for text in (good, good, "scenario: [", "scenario: [", "scenario: a\\nthen: [oops]", good, good):
        changing.write_text(text)
        await app._hot_reload.reload_or_log(is_fresh=True)
        counts.append(gc.get_freeze_count())
    print(json.dumps([gc.isenabled(), *counts]))

asyncio.run(count_after_reloads())
"""


def test_replaced_files_leave_no_objects(tmp_path: Path) -> None:
    """`serve` keeps the collector from what it has read. So nothing that is replaced may need the collector."""
    (tmp_path / "scenarios").mkdir()
    for number in range(50):
        (tmp_path / "scenarios" / f"{number}.yaml").write_text(f"scenario: s{number}\nwhen: {{filename: f{number}}}\n")
    command = [sys.executable, "-c", _RELOADS, str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    is_collecting, first, *others = json.loads(printed)

    assert is_collecting
    # A set of fifty files has thousands of objects.
    assert others[-1] < first + 500
