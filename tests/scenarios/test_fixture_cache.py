"""Fixture files are cached on disk: a second start reads only what has changed, with the same result."""

import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.disk_cache import DiskCache
from mock_server.errors import FixturesError
from mock_server.scenarios.load import FixtureLoader, Loaded, _version
from mock_server.settings import shipped_fixtures

SCENARIO = "scenario: {name}\nwhen: {{filename: a.jpg}}\nreading: {{plate: {{text: {text}}}}}\n"
FULL = """\
scenario: full
priority: 3
when: {filename: "full-*", header: {X-A: "1*"}, product: plate, properties: {format: jpg, blank: false}}
reading:
  plate: {text: ABC123, region: us-ca, box: [1, 2, 30, 40], candidates: [A8C123], vehicle: SUV}
then:
  - {outcome: service_error, times: 2, delay: {lognormal: {median: 1ms, sigma: 0.4}}}
  - {delay: {uniform: [1ms, 2ms]}, fault: EMPTY_RESPONSE}
  - {delay: {dribble: {chunks: 2, over: 1ms}}, trouble: {score: [0.3, 0.5], confuse: 1}, headers: {X-B: c}}
  - {delay: {lognormal: {median: 1ms, sigma: 0.4, max: 3ms}}, message: ""}
---
scenario: short
when: {filename: vin.jpg}
reading: {vin: SHORT}
"""
MOCK = """\
accounts:
  - {name: one, key: k1, rate_limit: 5/second, plans: [vin], credits: {plate: 2}, quota: {vin: {limit: 9, used: 1}}}
charge: {"*": [read]}
delay: 5ms
unmatched: nothing_found
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with scenarios, accounts and defaults of every kind."""
    root = tmp_path / "fixtures"
    (root / "scenarios").mkdir(parents=True)
    (root / "mock.yaml").write_text(MOCK)
    (root / "scenarios" / "a.yaml").write_text(SCENARIO.format(name="a", text="ABC123"))
    (root / "scenarios" / "full.yaml").write_text(FULL)
    return root


def loaded(root: Path, cache: Path) -> Loaded:
    loader = FixtureLoader(root, cache=cache)
    found = loader.load()
    loader.save()
    return found


def test_second_load_is_equal(root: Path, tmp_path: Path) -> None:
    """The cache gives the same set, warnings and sources included, and reads no file."""
    first = loaded(root, tmp_path / "cache")
    loader = FixtureLoader(root, cache=tmp_path / "cache")
    state = loader.state

    assert loader.load() == first
    assert loader.state == state
    assert first.warnings != ()


def test_second_start_loads_no_models(tmp_path: Path) -> None:
    """The shipped set is served from the cache without the libraries that read and check documents."""
    loaded(shipped_fixtures(), tmp_path)
    script = (
        "import sys; from pathlib import Path; from mock_server.scenarios.load import FixtureLoader\n"
        "found = FixtureLoader(Path(sys.argv[1]), cache=Path(sys.argv[2])).load()\n"
        "print(len(found.set.scenarios), 'pydantic' in sys.modules, 'yaml' in sys.modules)\n"
    )
    arguments = [sys.executable, "-c", script, str(shipped_fixtures()), str(tmp_path)]
    printed = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.split()

    assert int(printed[0]) > 10
    assert printed[1:] == ["False", "False"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("scenarios/a.yaml", SCENARIO.format(name="renamed", text="XYZ999")),
        ("scenarios/b.yaml", "scenario: b\nwhen: {filename: b.jpg}\nreading: {}\n"),
        ("mock.yaml", "accounts: [{name: two, key: k2}]\n"),
    ],
)
def test_changed_file_is_read_again(root: Path, tmp_path: Path, file: str, text: str) -> None:
    """The result is the same as without a cache after a file was edited or added."""
    loaded(root, tmp_path / "cache")
    (root / file).write_text(text)

    assert loaded(root, tmp_path / "cache") == FixtureLoader(root).load()


def test_removed_file_is_gone(root: Path, tmp_path: Path) -> None:
    """A scenario whose file was removed is not served from the cache."""
    loaded(root, tmp_path / "cache")
    for name in ("a", "full"):
        (root / "scenarios" / f"{name}.yaml").unlink()

    assert loaded(root, tmp_path / "cache").set.scenarios == ()


def test_mistake_is_reported_every_time(root: Path, tmp_path: Path) -> None:
    """A file that became wrong is reported although its good content was cached."""
    loaded(root, tmp_path / "cache")
    (root / "scenarios" / "a.yaml").write_text("scenario: a\nwhat: is this\n")
    for _ in range(2):
        with pytest.raises(FixturesError, match="what"):
            loaded(root, tmp_path / "cache")


def test_mistake_in_a_cached_file_has_its_place(root: Path, tmp_path: Path) -> None:
    """A cached scenario that becomes wrong by another file is reported at its own line and column."""
    loaded(root, tmp_path / "cache")
    (root / "scenarios" / "0.yaml").write_text("scenario: short\nwhen: {filename: 0.jpg}\n")
    with pytest.raises(FixturesError) as cached:
        loaded(root, tmp_path / "cache")
    with pytest.raises(FixturesError) as fresh:
        FixtureLoader(root).load()

    assert [str(mistake) for mistake in cached.value.mistakes] == [str(mistake) for mistake in fresh.value.mistakes]
    assert 'full.yaml:12:11: the name "short" is taken' in str(cached.value)


@pytest.mark.parametrize("position", range(20))
def test_damaged_entry_is_not_used(root: Path, tmp_path: Path, position: int) -> None:
    """Flipped bits in the stored content give the right set, not another one."""
    first = loaded(root, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    data = bytearray(file.read_bytes())
    start = data.index(b'"ABC123"')
    data[start - 400 + position * 40] ^= 1 << (position % 8)
    file.write_bytes(bytes(data))

    assert loaded(root, tmp_path / "cache") == first


def test_content_of_another_shape_is_not_used(root: Path, tmp_path: Path) -> None:
    """An entry with a right checksum and an unknown content is a miss."""
    loader = FixtureLoader(root, cache=tmp_path / "cache")
    first = loader.load()
    loader.save()
    content = b'{"files": {"a": 1}, "unknown": {}}'
    DiskCache(tmp_path / "cache").put(loader._cache_key, content, _version(loader.vocabulary))

    assert loaded(root, tmp_path / "cache") == first


def test_file_name_that_is_not_text(root: Path, tmp_path: Path) -> None:
    """A file name that is not UTF-8 cannot be cached; the set is served without the cache."""
    (root / "scenarios" / "b\udcff.yaml").write_text("scenario: b\nwhen: {filename: b.jpg}\n")

    assert loaded(root, tmp_path / "cache") == loaded(root, tmp_path / "cache")


def test_unusable_cache_directory_is_no_mistake(root: Path, tmp_path: Path) -> None:
    """If the cache directory cannot be made, the set is read each time."""
    (tmp_path / "cache").write_text("a file in the way")

    assert loaded(root, tmp_path / "cache") == loaded(root, tmp_path / "cache")
