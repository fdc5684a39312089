"""Fixture directories and documents that are far too large: one clear mistake within seconds."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mock_server.errors import FixturesError
from mock_server.scenarios import discovery
from mock_server.scenarios.diagnostics import MAX_MISTAKES
from mock_server.scenarios.load import load
from mock_server.scenarios.mock_reader import parse_account
from mock_server.scenarios.scenario_reader import parse_scenario

Write = Callable[[Mapping[str, str | bytes]], Path]

MERGE_CHAIN = "a0: &a0 {" + ", ".join(f"k{number}: v" for number in range(1000)) + "}\n"
MERGES = MERGE_CHAIN + "".join(f"b{number}: {{<<: [*a0, *a0, *a0, *a0]}}\n" for number in range(1000))


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """No limit takes long to be reached. Processor time does not depend on what else the machine does."""
    start = time.process_time()
    yield
    assert time.process_time() - start < 30


def lines_of(root: Path) -> list[str]:
    """The mistakes of the directory, with paths below it."""
    with pytest.raises(FixturesError) as caught:
        load(root)
    return [str(mistake).removeprefix(f"{root}/") for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("--- a\n" * 150_000, "5001:5: more than 5,000 documents"),
        ("a: [" + "x," * 1_000_000 + "]", "1:599999: more than 300,000 values"),
        (MERGES, "1:5: its aliases expand to too many values"),
        ("{" * 200_000, "nested more than 32 levels deep"),
        ("[" * 200_000, "nested more than 32 levels deep"),
    ],
    ids=["documents", "values", "merges", "mappings", "lists"],
)
def test_large_file(write: Write, text: str, line: str) -> None:
    """A file over a limit is refused; the rest of it is not read."""
    lines = lines_of(write({"scenarios/large.yaml": text}))

    assert any(line in one for one in lines)
    assert len(lines) < 5010


def test_mistakes_are_counted_after_a_limit(write: Write) -> None:
    """A document with very many mistakes reports the first ones and the number of the others."""
    text = "scenario: a\nwhen:\n" + "".join(f"  unknown{number}: x\n" for number in range(20_000))
    lines = lines_of(write({"scenarios/a.yaml": text}))

    assert len(lines) == MAX_MISTAKES + 1
    assert "scenarios/a.yaml:1:1: 19,500 more mistakes in this document" in lines


def test_links_that_multiply_paths(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links that lead to one directory by 2^25 paths are not all followed."""
    monkeypatch.setattr(discovery, "MAX_DIRECTORIES", 200)
    root = write({"scenarios/a.yaml": "scenario: a\n"})
    for level in range(25):
        folder = root / "scenarios" / f"d{level}"
        folder.mkdir()
        for name in ("left", "right"):
            (folder / name).symlink_to(root / "scenarios" / f"d{level + 1}")
    (root / "scenarios" / "d25").mkdir()

    assert lines_of(root) == [
        "scenarios:1:1: more than 200 directories or 20,000 files"
        " — symbolic links may lead to one directory by many paths"
    ]


def test_many_files(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of files is limited."""
    monkeypatch.setattr(discovery, "MAX_FILES", 5)
    files = {f"scenarios/{number}/a.yaml": f"scenario: a{number}\nwhen: {{key: k}}\n" for number in range(9)}

    assert any("more than 5,000 directories or 5 files" in line for line in lines_of(write(files)))


def test_large_picture(write: Write) -> None:
    """A picture of 20 GB is refused by its size; one that no scenario names is not shown."""
    root = write({"scenarios/a.yaml": "scenario: a\nwhen: {image: ../images/large.png}\n"})
    for name in ("large", "unnamed"):
        (root / "images" / f"{name}.png").touch()
        os.truncate(root / "images" / f"{name}.png", 20 * 1024**3)

    assert lines_of(root) == [
        'scenarios/a.yaml:2:15: "../images/large.png" cannot be read: 21,474,836,480 bytes,'
        " at most 268,435,456 are read"
    ]
    (root / "scenarios" / "a.yaml").write_text("scenario: a\n")
    assert sorted(load(root).set.unnamed) == ["images/car.png", "images/truck.png"]


def deep(levels: int) -> Any:
    """A document that is nested so many levels deep."""
    document: Any = "x"
    for _ in range(levels):
        document = {"when": document}
    return document


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"scenario": "a", **{f"unknown{number}": 1 for number in range(500_000)}}, "/: more than 10,000 values"),
        ({"scenario": "a", "then": [{}] * 500_000}, "/: more than 10,000 values"),
        ({"scenario": "a", "when": deep(500)}, "/: nested more than 32 levels deep"),
        ({"scenario": "a", "x" * 1_000_000: 1}, "/x"),
        ("scenario: a\nthen: [" + "read," * 100_000 + "read]", "scenario:2:49983: more than 10,000 values"),
        (MERGES, "scenario:1:5: its aliases expand to too many values"),
    ],
    ids=["keys", "steps", "depth", "long-key", "text", "merges"],
)
def test_large_document_at_run_time(document: Mapping[str, Any] | str, line: str) -> None:
    """A scenario or account that came at run time is refused within seconds."""
    start = time.process_time()
    for parse in (parse_scenario, lambda value: parse_account(value, name="a", new_key=lambda: "k")):
        with pytest.raises(FixturesError) as caught:
            parse(document)

        assert any(str(mistake).replace("account:", "scenario:").startswith(line) for mistake in caught.value.mistakes)
    assert time.process_time() - start < 10
