"""Bad fixture files and the exact lines they produce: the lines of each `bad/**/*.yaml` are in its `.errors` file.

`yaml` holds what is no YAML or more than the reader takes, `shape` and `mock-shape` what the JSON Schema refuses too,
`meaning` and `mock-meaning` what only the loader sees.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mock_server.errors import FixturesError
from mock_server.scenarios.load import load
from mock_server.scenarios.vocabulary import Vocabulary

Write = Callable[[Mapping[str, str | bytes]], Path]

BAD = Path(__file__).parent / "bad"
CASES = sorted(path.relative_to(BAD).as_posix() for path in BAD.rglob("*.yaml"))
ACCOUNTS = "accounts: [{name: demo, key: demo-key}, {name: slow, key: slow-key}]\n"


def lines_of(root: Path, vocabulary: Vocabulary) -> list[str]:
    """All mistakes and warnings of the directory."""
    try:
        found = load(root, vocabulary=vocabulary).warnings
    except FixturesError as error:
        found = error.mistakes
    return [str(mistake) for mistake in found]


@pytest.mark.parametrize("case", CASES)
def test_bad_file(case: str, write: Write, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file produces its lines, no more and no less."""
    place = "mock.yaml" if case.startswith("mock") else f"scenarios/{Path(case).name}"
    root = write({"mock.yaml": ACCOUNTS} | {place: (BAD / case).read_bytes()})
    monkeypatch.chdir(root.parent)

    assert lines_of(Path("fixtures"), vocabulary) == (BAD / case).with_suffix(".errors").read_text("utf-8").splitlines()


def test_table_is_long_enough() -> None:
    """At least 60 kinds of mistakes are tested."""
    assert len(CASES) >= 60
