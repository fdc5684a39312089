"""Arrays of references that lie in a file: searches return the same, whatever happens to the cache directory."""

import errno
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mock_server.imaging import array_store
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region
from mock_server.imaging.results import SearchResult
from mock_server.server import MockServer
from tests.support import PATIENCE, encoded, vehicore, without_coverage

FOUR = range(4)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc, which lists open files")


def photo(number: int, text: str | None = None) -> Image.Image:
    """A soft scene with a plate; each number has its own."""
    rng = np.random.default_rng(number)
    rough = Image.fromarray(rng.integers(0, 255, (12, 16), dtype=np.uint8))
    image = rough.resize((640, 480), Image.Resampling.BICUBIC).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((200, 300, 440, 360), "white")
    draw.text((320, 330), text or f"AB {number}CD", "black", ImageFont.load_default(44), anchor="mm")
    return image


def references(numbers: range) -> list[Reference]:
    regions = (Region(Box(200, 300, 440, 360), 6),)
    return [Reference(str(number), encoded(photo(number), "JPEG", quality=90), regions) for number in numbers]


def found(index: ImageIndex, number: int, text: str | None = None) -> SearchResult:
    """The result for a picture in other bytes than the reference's."""
    return index.find(encoded(photo(number, text), "JPEG", quality=70))


def ids(index: ImageIndex, number: int, text: str | None = None) -> list[str]:
    return [match.id for match in found(index, number, text).matches]


def open_files(folder: Path) -> int:
    """How many files without a name in `folder` this process has open."""
    links = []
    for one in Path("/proc/self/fd").iterdir():
        # The listing has its own descriptor, too, which is closed by now.
        with suppress(OSError):
            links.append(str(one.readlink()))
    return sum(link.startswith(str(folder)) and link.endswith("(deleted)") for link in links)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory; even the first picture's pixels go to a file."""
    monkeypatch.setattr(array_store, "_IN_MEMORY", 0)
    return tmp_path / "cache"


def test_results_are_those_of_pixels_in_memory(cache: Path) -> None:
    """Matches and near misses do not depend on where the pixels lie, at a first or a second start."""
    in_memory = ImageIndex.build(references(FOUR))
    for _ in range(2):
        index = ImageIndex.build(references(FOUR), cache=cache)

        assert [found(index, number) for number in FOUR] == [found(in_memory, number) for number in FOUR]
        assert found(index, 2, "AB 8CD") == found(in_memory, 2, "AB 8CD")
        assert index.too_faint() == in_memory.too_faint()


@on_linux
def test_a_large_collection_has_one_file_without_a_name(cache: Path) -> None:
    """The file is open as long as the index is needed; its directory shows nothing but fingerprints."""
    index = ImageIndex.build(references(FOUR), cache=cache)

    assert open_files(cache) == 1
    assert len(list(cache.iterdir())) == len(FOUR)

    assert ids(index, 1) == ["1"]
    del index
    gc.collect()

    assert open_files(cache) == 0


@on_linux
def test_a_small_collection_needs_no_file(tmp_path: Path) -> None:
    """A few pictures stay in memory."""
    index = ImageIndex.build(references(FOUR), cache=tmp_path)

    assert (len(index), open_files(tmp_path)) == (4, 0)


def test_a_removed_cache_directory_changes_nothing(cache: Path) -> None:
    """Somebody empties the caches while the server runs: its pictures are found, and told apart, as before."""
    index = ImageIndex.build(references(FOUR), cache=cache)
    shutil.rmtree(cache)

    assert [ids(index, number) for number in FOUR] == [["0"], ["1"], ["2"], ["3"]]
    assert ids(index, 2, "AB 8CD") == []
    # The next build has no directory to put a file in.
    assert ids(index.updated(references(range(6)), cache=cache), 5) == ["5"]


def test_damaged_fingerprints_change_nothing(cache: Path) -> None:
    """What happens to the stored fingerprints after the start matters to the next start alone, which ignores them."""
    index = ImageIndex.build(references(FOUR), cache=cache)
    for file in cache.iterdir():
        file.write_bytes(b"\xff" * file.stat().st_size)

    assert [ids(index, number) for number in FOUR] == [["0"], ["1"], ["2"], ["3"]]
    assert ids(ImageIndex.build(references(FOUR), cache=cache), 3) == ["3"]


@pytest.mark.skipif(not hasattr(os, "pread"), reason="Windows has no os.pread, so there is no file that can be full")
def test_a_full_disk_leaves_the_rest_in_memory(cache: Path) -> None:
    """Where the file takes no more, pixels stay in memory, and the pictures are found."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        index = ImageIndex.build(references(FOUR), cache=cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert [ids(index, number) for number in FOUR] == [["0"], ["1"], ["2"], ["3"]]


def test_without_a_usable_directory_all_is_in_memory(cache: Path) -> None:
    """A directory that others may write to holds no file."""
    cache.mkdir()
    cache.chmod(0o777)
    index = ImageIndex.build(references(FOUR), cache=cache)

    assert list(cache.iterdir()) == []
    assert [ids(index, number) for number in FOUR] == [["0"], ["1"], ["2"], ["3"]]


@on_linux
def test_updates_do_not_gather_files(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each update adds a picture and drops none: files of earlier builds are replaced by one now and then."""
    monkeypatch.setattr(array_store, "_MOST_FILES", 2)
    index = ImageIndex.build(references(range(1)), cache=cache)
    counts = []
    for count in range(2, 9):
        index = index.updated(references(range(count)), cache=cache)
        gc.collect()
        counts.append(open_files(cache))

    assert max(counts) <= 3
    assert [ids(index, number) for number in range(8)] == [[str(number)] for number in range(8)]


def test_searches_in_several_threads(cache: Path) -> None:
    """Reads do not disturb each other."""
    index = ImageIndex.build(references(FOUR), cache=cache)
    sent = [encoded(photo(number % 4), "JPEG", quality=60 + number) for number in range(24)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(index.find, sent))

    assert [[match.id for match in result.matches] for result in results] == [[str(n % 4)] for n in range(24)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork processes (Windows)")
def test_forked_processes_share_the_file(cache: Path) -> None:
    """Workers that were forked after the build read from the same file, at the same time."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from mock_server.imaging import array_store; array_store._IN_MEMORY = 0\n"
        "from tests.imaging.test_array_store import FOUR, ImageIndex, ids, references\n"
        "index = ImageIndex.build(references(FOUR), cache=Path(sys.argv[1]))\n"
        "workers = [os.fork() for _ in range(2)]\n"
        "right = all(ids(index, number) == [str(number)] for number in FOUR)\n"
        "if 0 in workers: os._exit(0 if right else 1)\n"
        "print(right, *(os.waitpid(worker, 0)[1] for worker in workers))\n"
    )
    command = [sys.executable, "-c", script, str(cache)]
    output = subprocess.run(command, env=without_coverage(), capture_output=True, text=True, check=True).stdout

    assert output.split() == ["True", "0", "0"]


@pytest.fixture
def served(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MockServer, httpx.Client]]:
    """A server with four photos and this cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    root = tmp_path / "fixtures"
    (root / "scenarios").mkdir(parents=True)
    for number in FOUR:
        photo(number).save(root / "scenarios" / f"{number}.jpg", quality=90)
        (root / "scenarios" / f"{number}.yaml").write_text(
            f"scenario: s{number}\nwhen: {{image: {number}.jpg}}\n"
            f"reading: {{plate: {{text: AB {number}CD, box: [200, 300, 440, 360]}}}}\n"
        )
    with MockServer(root) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield server, client


@pytest.mark.parametrize("fault", ["an error of the disk", "a file that was cut off"])
def test_a_disk_that_fails_is_reported_until_a_reload(
    served: tuple[MockServer, httpx.Client], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search ends with the provider's own server error, which says what to do; a reload reads the pictures again."""

    def broken(descriptor: int, length: int, offset: int) -> bytes:
        if fault == "a file that was cut off":
            return b""
        raise OSError(errno.EIO, "Input/output error")

    _, client = served
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", broken)
        refused = vehicore(client, image=encoded(photo(2), "JPEG", quality=70))
        compared = client.post("/__admin/match", files={"image": encoded(photo(2), "JPEG", quality=60)})
        known = vehicore(client, image=encoded(photo(1), "JPEG", quality=90))
    reloaded = client.post("/__admin/reload")
    after = vehicore(client, image=encoded(photo(2), "JPEG", quality=70))

    assert refused.status_code == 500
    assert "POST /__admin/reload" in refused.headers["x-mock-detail"]
    assert compared.status_code == 503
    assert known.json()["result"] == "AB 1CD"
    assert reloaded.is_success
    assert after.json()["result"] == "AB 2CD"


def test_a_server_goes_on_without_its_cache(served: tuple[MockServer, httpx.Client], cache: Path) -> None:
    """The caches are removed while a server runs: it answers as before, and after a reload, too."""
    _, client = served
    shutil.rmtree(cache)
    before = vehicore(client, image=encoded(photo(2), "JPEG", quality=70))
    reloaded = client.post("/__admin/reload")
    after = vehicore(client, image=encoded(photo(3), "JPEG", quality=70))

    assert reloaded.is_success
    assert [reply.json()["result"] for reply in (before, after)] == ["AB 2CD", "AB 3CD"]
