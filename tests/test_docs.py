"""The documents that are run: what the README shows is sent, and what can be set is written down."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from mock_server.cli.verbs import VERBS
from mock_server.core.model import OutcomeName
from mock_server.scenarios.load import load
from mock_server.server import MockServer
from mock_server.settings import setting_names, shipped_fixtures
from tests.support import PATIENCE

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CURL_WITH_ANSWER = re.compile(r"^```sh\n(curl .*?)^```\n+```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def shipped() -> Iterator[MockServer]:
    """A server on the shipped fixtures."""
    with MockServer() as server:
        yield server


@pytest.mark.skipif(which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("place", [0, 1], ids=["vehicore", "carsxe"])
def test_the_readme_s_calls_get_the_readme_s_answers(shipped: MockServer, place: int) -> None:
    """Each curl line of the README, sent as it stands but for the port, gets the answer that is printed below it."""
    command, answer = CURL_WITH_ANSWER.findall(README)[place]
    command = command.replace("\\\n", " ").replace("http://127.0.0.1:8080", shipped.url)
    ended = subprocess.run(
        [*shlex.split(command), "--silent"], capture_output=True, cwd=ROOT, timeout=PATIENCE, check=True
    )

    assert json.loads(ended.stdout) == json.loads(answer)


def test_the_readme_s_python_runs() -> None:
    """The Python example does what it says."""
    (example,) = [text for kind, text in BLOCK.findall(README) if kind == "python"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-W", "error", "-c", example], cwd=ROOT, env=environment, timeout=PATIENCE, check=True
    )


def test_the_readme_s_fixtures_load(tmp_path: Path) -> None:
    """The fixture files that the README shows are without mistakes."""
    (tmp_path / "images").mkdir()
    (tmp_path / "scenarios").mkdir()
    picture = shipped_fixtures() / "images" / "california-sedan.jpg"
    (tmp_path / "images" / "flaky.jpg").write_bytes(picture.read_bytes())
    named = {match[1]: text for _, text in _yaml_blocks() if (match := re.match(r"# fixtures/(\S+?):?\s", text))}
    for name, text in named.items():
        (tmp_path / name).write_text(text)

    assert set(named) == {"mock.yaml", "scenarios/flaky.yaml"}
    assert [scenario.name for scenario in load(tmp_path).set.scenarios] == ["flaky"]


def _yaml_blocks() -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in BLOCK.findall(README) if kind == "yaml"]


def test_every_outcome_is_in_the_readme() -> None:
    """The README names every outcome that can be forced."""
    assert [outcome for outcome in OutcomeName if f"`{outcome}`" not in README] == []


@pytest.mark.parametrize("name", setting_names())
def test_every_setting_is_documented(name: str) -> None:
    """Each flag of the server stands in a document, with its variable's name following from it."""
    flag = "`FIXTURES`" if name == "fixtures" else "--" + name.replace("_", "-")

    assert any(flag in document.read_text(encoding="utf-8") for document in DOCUMENTS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    """Each verb of the command stands in a document."""
    pattern = re.compile(rf"vehicle-ocr-mock {verb}\b|`{verb}\b")

    assert any(pattern.search(document.read_text(encoding="utf-8")) for document in DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every link to a file of the repository leads to one, and to a heading that is there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (document.parent / path).resolve() if path else document

        assert file.exists(), target
        if heading:
            assert heading in _anchors(file), target


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
