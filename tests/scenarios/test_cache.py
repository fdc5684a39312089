"""What is kept on disk of fixture files: a second start reads none of them again, and is never wrong for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.errors import FixturesError
from mock_server.scenarios.load import FixtureLoader, Loaded
from mock_server.settings import shipped_fixtures

SCENARIO = "scenario: {name}\nwhen: {{filename: a.jpg}}\nreading: {{plate: {{text: {text}}}}}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory of one scenario."""
    root = tmp_path / "fixtures"
    (root / "scenarios").mkdir(parents=True)
    (root / "mock.yaml").write_text("accounts: [{name: one, key: k1, rate_limit: 5/second}]\n")
    (root / "scenarios" / "a.yaml").write_text(SCENARIO.format(name="a", text="ABC123"))
    return root


def loaded(root: Path, cache: Path) -> Loaded:
    loader = FixtureLoader(root, cache=cache)
    found = loader.load()
    loader.keep()
    return found


def test_a_second_load_is_the_same(root: Path, tmp_path: Path) -> None:
    """What is kept gives the same set, mistakes' places included."""
    first, second = loaded(root, tmp_path / "cache"), loaded(root, tmp_path / "cache")

    assert second == first


def test_a_second_start_loads_no_models(tmp_path: Path) -> None:
    """The shipped set is served from what is kept without the libraries that read and check documents."""
    loaded(shipped_fixtures(), tmp_path)
    script = (
        "import sys; from pathlib import Path; from mock_server.scenarios.load import FixtureLoader\n"
        "found = FixtureLoader(Path(sys.argv[1]), cache=Path(sys.argv[2])).load()\n"
        "print(len(found.set.scenarios), 'pydantic' in sys.modules, 'yaml' in sys.modules)\n"
    )
    arguments = [sys.executable, "-c", script, str(shipped_fixtures()), str(tmp_path)]
    told = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.split()

    assert int(told[0]) > 10
    assert told[1:] == ["False", "False"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("scenarios/a.yaml", SCENARIO.format(name="renamed", text="XYZ999")),
        ("scenarios/b.yaml", "scenario: b\nwhen: {filename: b.jpg}\nreading: {}\n"),
        ("mock.yaml", "accounts: [{name: two, key: k2}]\n"),
    ],
)
def test_what_changed_is_read_again(root: Path, tmp_path: Path, file: str, text: str) -> None:
    """A file that was edited or added since is read, as if nothing had been kept."""
    loaded(root, tmp_path / "cache")
    (root / file).write_text(text)

    assert loaded(root, tmp_path / "cache") == FixtureLoader(root).load()


def test_a_removed_file_is_gone(root: Path, tmp_path: Path) -> None:
    """A scenario whose file was removed is not served from what is kept."""
    loaded(root, tmp_path / "cache")
    (root / "scenarios" / "a.yaml").unlink()

    assert loaded(root, tmp_path / "cache").set.scenarios == ()


def test_a_mistake_is_told_every_time(root: Path, tmp_path: Path) -> None:
    """A file that became wrong is told of, although a good one was kept."""
    loaded(root, tmp_path / "cache")
    (root / "scenarios" / "a.yaml").write_text("scenario: a\nwhat: is this\n")
    for _ in range(2):
        with pytest.raises(FixturesError, match="what"):
            loaded(root, tmp_path / "cache")


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x05}\x94.", b"\x80\x05K\x01"])
def test_a_damaged_cache_is_done_without(root: Path, tmp_path: Path, content: bytes) -> None:
    """Whatever stands in the file, the set is read."""
    first = loaded(root, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(content)

    assert loaded(root, tmp_path / "cache") == first


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_file_that_others_can_write_is_not_read(root: Path, tmp_path: Path) -> None:
    """What is kept is written for its owner alone, and not trusted when it was opened to others."""
    loaded(root, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    mode = kept.stat().st_mode & 0o777
    kept.chmod(0o622)
    fresh = FixtureLoader(root, cache=tmp_path / "cache")

    assert mode == 0o600
    assert fresh.state == FixtureLoader(root).state


def test_no_cache_that_can_be_written_is_no_mistake(root: Path, tmp_path: Path) -> None:
    """Where the cache's directory cannot be made, the set is read each time."""
    (tmp_path / "cache").write_text("a file in the way")

    assert loaded(root, tmp_path / "cache") == loaded(root, tmp_path / "cache")
