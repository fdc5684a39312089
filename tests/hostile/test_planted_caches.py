"""Starts with a cache that somebody else has prepared or damaged: no code runs, nothing is answered differently."""

import os
import pickle
import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mock_server.app import App, create_app
from mock_server.disk_cache import _checksum, _hash
from tests.support import drawn, encoded

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions and file types")

NAMES = ("red", "green")
STARTS = 12
Start = Callable[[Path], dict[str, Any]]


class Payload:
    """A pickle of it makes a file when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.fixture
def fixtures(tmp_path: Path) -> Path:
    """A small fixtures directory with two pictures."""
    root = tmp_path / "fixtures"
    (root / "scenarios").mkdir(parents=True)
    (root / "mock.yaml").write_text("accounts: [{name: demo, key: demo-key}]")
    for name in NAMES:
        (root / f"{name}.png").write_bytes(drawn(name))
        text = f"scenario: {name}\nwhen: {{image: ../{name}.png}}\nreading: {{plate: ABC123}}"
        (root / "scenarios" / f"{name}.yaml").write_text(text)
    return root


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, fixtures: Path) -> Start:
    """Start a mock with a cache directory; gives all that its answers depend on."""

    def started(cache: Path) -> dict[str, Any]:
        monkeypatch.setattr("mock_server.startup.default_cache_directory", lambda: cache)
        return _answers(create_app({"fixtures": fixtures, "watch": False}))

    return started


@pytest.fixture
def cache(tmp_path: Path, start: Start) -> Path:
    """A cache that a start has filled."""
    start(tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) > len(NAMES)
    return tmp_path / "cache"


def _answers(app: App) -> dict[str, Any]:
    library = app.pipeline.library
    similar = [encoded(Image.open(BytesIO(drawn(name))).convert("L"), "PNG") for name in NAMES]
    return {
        "fixtures": library.fixtures,
        "known": [library.index.find(drawn(name)).matches for name in NAMES],
        "similar": [library.index.find(data).matches for data in similar],
    }


def as_symlinks(cache: Path, payload: Path) -> None:
    for file in list(cache.iterdir()):
        file.unlink()
        file.symlink_to(payload)


def as_hard_links(cache: Path, payload: Path) -> None:
    for file in list(cache.iterdir()):
        file.unlink()
        file.hardlink_to(payload)


def as_hard_links_of_each_other(cache: Path, payload: Path) -> None:
    first, *others = sorted(cache.iterdir())
    for file in others:
        file.unlink()
        file.hardlink_to(first)


def as_fifos(cache: Path, payload: Path) -> None:
    for file in list(cache.iterdir()):
        file.unlink()
        os.mkfifo(file, 0o600)


def as_signed_payloads(cache: Path, payload: Path) -> None:
    """The payload where each entry is, with a checksum that can be right for no key that the attacker knows."""
    for file in list(cache.iterdir()):
        file.write_bytes(_checksum("fixtures", "", payload.read_bytes()) + payload.read_bytes())


def as_sticky_directory(cache: Path, payload: Path) -> None:
    as_signed_payloads(cache, payload)
    cache.chmod(0o1777)


def as_foreign_directory(cache: Path, payload: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(cache, 12345, 12345)


def as_link_to_a_directory(cache: Path, payload: Path) -> None:
    cache.rename(cache.with_name("other"))
    cache.symlink_to(cache.with_name("other"))


@pytest.mark.parametrize(
    "plant",
    [
        *(as_symlinks, as_hard_links, as_hard_links_of_each_other, as_fifos, as_signed_payloads),
        *(as_sticky_directory, as_foreign_directory, as_link_to_a_directory),
    ],
)
def test_planted_cache(cache: Path, start: Start, tmp_path: Path, plant: Callable[[Path, Path], None]) -> None:
    """The mock starts as without a cache, and runs nothing."""
    marker, payload = tmp_path / "marker", tmp_path / "payload"
    payload.write_bytes(pickle.dumps(Payload(marker)))
    payload.chmod(0o600)
    expected = start(tmp_path / "fresh")
    plant(cache, payload)

    assert start(cache) == expected
    assert payload.read_bytes() == pickle.dumps(Payload(marker))
    assert not marker.exists()


def test_a_value_that_is_a_pickle(cache: Path, fixtures: Path, start: Start, tmp_path: Path) -> None:
    """With the right checksum for its key, it is still only data."""
    marker = tmp_path / "marker"
    value = pickle.dumps(Payload(marker))
    key = f"fixtures {fixtures}\n{fixtures}"
    assert (cache / _hash(key).hex()).exists()
    (cache / _hash(key).hex()).write_bytes(_checksum(key, "", value) + value)

    assert start(cache) == start(tmp_path / "fresh")
    assert not marker.exists()


def test_flipped_bits(cache: Path, start: Start, tmp_path: Path) -> None:
    """A flipped bit in each file before each start: always the same answers. `test_disk_cache.py` flips many more."""
    rng, expected = random.Random(1), start(tmp_path / "fresh")
    for _ in range(STARTS):
        for file in cache.iterdir():
            data = bytearray(file.read_bytes())
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            file.write_bytes(data)

        assert start(cache) == expected
