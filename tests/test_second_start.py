"""A second start on the same files: images are loaded after the first answer, mistakes are still reported."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mock_server.app import App, create_app
from mock_server.errors import FixturesError
from mock_server.imaging.lazy_index import LazyIndex
from tests.support import drawn, without_coverage

Start = Callable[[], App]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory of two scenarios with a picture each."""
    root = tmp_path / "fixtures"
    (root / "scenarios").mkdir(parents=True)
    (root / "images").mkdir()
    for name in ("one", "two"):
        (root / "images" / f"{name}.png").write_bytes(drawn(name))
        (root / "scenarios" / f"{name}.yaml").write_text(
            f"scenario: {name}\nwhen: {{image: ../images/{name}.png}}\nreading: {{plate: {name.upper()}}}\n"
        )
    return root


@pytest.fixture
def start(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Creates the application, with a cache for this test only."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return lambda: create_app({"fixtures": root})


def test_no_library_of_pictures_is_loaded(root: Path, start: Start) -> None:
    """A start with unchanged images imports neither Pillow nor numpy; the first image does."""
    start()
    script = (
        "import sys; from pathlib import Path; from mock_server.app import create_app\n"
        "loaded = lambda: print('PIL' in sys.modules, 'numpy' in sys.modules)\n"
        "index = create_app({'fixtures': Path(sys.argv[1])}).pipeline.library.index; loaded()\n"
        "print(index.find(Path(sys.argv[2]).read_bytes()).matches[0].id); loaded()\n"
    )
    arguments = [sys.executable, "-c", script, str(root), str(root / "images" / "two.png")]
    found = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.split()

    assert found == ["False", "False", "images/two.png", "True", "True"]


def test_what_only_later_calls_need_is_not_loaded(root: Path, start: Start) -> None:
    """The start loads neither the rehearsal report nor the tables of licence plates."""
    start()
    script = (
        "import sys; from pathlib import Path; from mock_server.app import create_app\n"
        "create_app({'fixtures': Path(sys.argv[1])})\n"
        "names = ('mock_server.report', 'mock_server.identifiers.plates', 'tomllib', 'yaml', 'pydantic', 'faker')\n"
        "print([name for name in names if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", script, str(root)]
    found = subprocess.run(command, env=without_coverage(), capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_it_answers_as_the_first(root: Path, start: Start) -> None:
    """A deferred index finds the same as an index that is built during the start."""
    first, second = start().pipeline.library.index, start().pipeline.library.index
    known, unknown = drawn("one", format="BMP"), drawn("three")

    assert not isinstance(first, LazyIndex)
    assert isinstance(second, LazyIndex)
    assert second.find_known(known) is None
    assert [second.find(known), second.find(unknown)] == [first.find(known), first.find(unknown)]
    assert second.find_known(known) == first.find_known(known)


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        ("images/one.png", b"no picture", "is no picture"),
        ("images/one.png", drawn("one")[:200], "is damaged"),
        ("images/one.png", drawn("two"), "looks like a picture of"),
        ("scenarios/one.yaml", b"scenario: one\nwhen: {image: ../images/none.png}\n", "there is no picture"),
    ],
)
def test_a_mistake_made_since_is_told(root: Path, start: Start, file: str, content: bytes, what: str) -> None:
    """An image that became unusable is reported at the start, as without a cache."""
    start()
    (root / file).write_bytes(content)

    with pytest.raises(FixturesError, match=what):
        start()


def test_warnings_are_told_each_time(root: Path, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A warning about too small text comes at every start."""
    (root / "scenarios" / "one.yaml").write_text(
        "scenario: one\nwhen: {image: ../images/one.png}\nreading: {plate: {text: ABC123, box: [30, 80, 42, 90]}}\n"
    )
    warnings = []
    for _ in range(2):
        caplog.clear()
        start()
        warnings.append(caplog.messages)

    assert "pixels to a character" in warnings[0][0]
    assert warnings[1] == warnings[0]


def test_other_limits_are_checked_anew(root: Path, start: Start) -> None:
    """An image that was within one limit of pixels is reported under a lower limit."""
    start()

    with pytest.raises(FixturesError, match="at most 1,000 are read"):
        create_app({"fixtures": root, "max_pixels": 1000})


def test_a_picture_that_is_gone_in_the_meantime_is_done_without(
    root: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that is deleted between the start and the first request makes only that image unknown, with a log line."""
    start()
    index = start().pipeline.library.index
    (root / "images" / "one.png").unlink()

    assert [hit.id for hit in index.find(drawn("two")).matches] == ["images/two.png"]
    assert index.find(drawn("one")).matches == ()
    assert "images/one.png" in caplog.text
