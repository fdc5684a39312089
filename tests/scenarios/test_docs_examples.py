"""The examples of docs/scenarios.md are run: each section becomes a directory that is served and gets requests."""

import base64
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server.scenarios.load import declared_accounts, load
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.server import MockServer
from mock_server.settings import shipped_fixtures
from tests.support import PATIENCE

COOKBOOK = Path(__file__).parents[2] / "docs" / "scenarios.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"(?P<provider>\w+) (?P<product>\w+) (?P<picture>\S+) (?P<key>\S+): (?P<replies>.+)")


@dataclass
class Section:
    """One recipe: its files, and the conversations that it shows."""

    title: str
    files: dict[str, str] = field(default_factory=dict)
    conversations: list[str] = field(default_factory=list)


def sections() -> Iterator[Section]:
    """The sections of the cookbook that have examples. Files of one name are one example after the other."""
    for text in re.split(r"^## ", COOKBOOK.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        section = Section(text.split("\n", 1)[0])
        for language, block in BLOCK.findall(text):
            if language == "yaml":
                name = block.split("\n", 1)[0].removeprefix("# ")
                assert name not in section.files
                section.files[name] = block
            elif language == "replies":
                section.conversations += block.splitlines()
        if section.files:
            yield section


SECTIONS = list(sections())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with the shipped pictures."""
    shutil.copytree(shipped_fixtures() / "images", tmp_path / "images")
    return tmp_path


def write(section: Section, directory: Path) -> None:
    """Put the files of a recipe into the directory."""
    for name, text in section.files.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")


def ask(client: httpx.Client, provider: str, product: str, picture: bytes, key: str) -> str:
    """One request, and its reply as the cookbook writes it."""
    try:
        if provider == "vehicore":
            sent = {"image": ("photo.jpg", picture)}
            reply = client.post(f"/api/ocr/{product}", headers={"X-API-Key": key}, files=sent)
        else:
            path = {"plate": "/platerecognition", "vin": "/v1/vinocr"}[product]
            body = {"image_url": base64.b64encode(picture).decode()}
            reply = client.post(path, params={"key": key}, json=body)
        return f"{reply.status_code} {read_in(reply.json()) if reply.is_success else ''}".strip()
    except (httpx.TransportError, ValueError):
        return "broken"


def read_in(answer: dict[str, Any]) -> str:
    """The text that a reply reports."""
    results = answer.get("results") or [{}]
    return str(answer.get("result") or answer.get("vin") or results[0].get("plate") or "").upper()


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_section_is_loaded(section: Section, directory: Path, vocabulary: Vocabulary) -> None:
    """Every example is without mistakes, and without warnings."""
    write(section, directory)
    accounts = declared_accounts(shipped_fixtures(), vocabulary=vocabulary)

    assert load(directory, vocabulary=vocabulary, accounts=accounts).warnings == ()


@pytest.mark.parametrize(
    "section", [section for section in SECTIONS if section.conversations], ids=lambda section: section.title
)
def test_section_is_served(section: Section, directory: Path) -> None:
    """The replies are those that the cookbook shows."""
    write(section, directory)
    if section.title.startswith("Nothing is found"):
        # Its mock.yaml is the other way to say the same.
        (directory / "mock.yaml").unlink()

    with MockServer(directory) as mock, httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        for line in section.conversations:
            asked = LINE.fullmatch(line)
            assert asked, line
            picture = (directory / "images" / asked["picture"]).read_bytes()
            expected = asked["replies"].split(", ")
            replies = [ask(client, asked["provider"], asked["product"], picture, asked["key"]) for _ in expected]

            assert f"{line.split(':')[0]}: {', '.join(replies)}" == line


def test_cookbook_has_recipes() -> None:
    """The document is found and has enough examples."""
    assert len(SECTIONS) >= 10
    assert sum(len(section.conversations) for section in SECTIONS) >= 30
