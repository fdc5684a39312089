"""Expensive pictures are decoded in a process of their own, which is killed when it takes too long."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest
from PIL import Image

from mock_server.errors import DecodeTimeoutError, TruncatedImageError
from mock_server.imaging.decode import ExpensivePicture, decode
from mock_server.imaging.decoding_process import DecodingProcess, decode_apart, decode_cheap
from mock_server.imaging.index import ImageIndex, Reference
from mock_server.providers.provider import Provider
from mock_server.providers.registry import PROVIDERS
from mock_server.server import MockServer
from tests.cli.command import served
from tests.support import FIXTURES, PATIENCE, call, drawn, encoded, eventually, picture, vehicore

SLOW_SIZE = (4000, 4000)


def slow_bitmap(size: tuple[int, int] = SLOW_SIZE) -> bytes:
    """A bitmap in runs of one pixel. Pillow decodes it in Python: several seconds."""
    width, height = size
    data = bytearray(encoded(Image.new("P", (4, 4)), "BMP")[:-16])
    data[18:26] = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    data[30:34] = b"\x01\x00\x00\x00"
    row = b"\x01\x00\x01\xff" * (width // 2) + b"\x00\x00"
    return bytes(data) + row * min(height, 15_000_000 // len(row)) + b"\x00\x01"


@pytest.fixture(scope="module")
def slow() -> bytes:
    """A picture that takes several seconds."""
    return slow_bitmap()


def test_ordinary_photos_are_decoded_here() -> None:
    """Photos of 12 million pixels do not need a process, in any of the usual formats."""
    for format in ("JPEG", "PNG", "WEBP"):
        with decode_cheap(encoded(Image.new("RGB", (4000, 3000), "navy"), format)) as decoded:
            assert decoded.size == (4000, 3000)


@pytest.mark.parametrize("seconds", [10.0, 1.0])
def test_slow_pictures_are_left_to_a_process(slow: bytes, seconds: float) -> None:
    """What a thread would be busy with for long is not begun there."""
    with pytest.raises(ExpensivePicture), decode_cheap(slow, seconds=seconds):
        pass


def test_a_process_gives_the_same_picture() -> None:
    """Whatever is asked of a picture is the same from a process."""
    data, running = drawn(size=(2600, 1400)), set[DecodingProcess]()
    here = decode(data)

    with decode_apart(data, seconds=120, running=running) as apart:
        assert len(running) == 1
        assert apart.facts == here.facts
        assert (apart.zoom, apart.full_zoom, apart.size) == (here.zoom, here.full_zoom, here.size)
        for name in ("full", "full_grey", "working_colours"):
            assert getattr(apart, name)() == getattr(here, name)()
        assert apart.working == here.working
        assert apart.at(1.0) == here.at(1.0)
        assert (apart.pixels(), apart.content()) == (here.pixels(), here.content())
        assert apart.thumbnail() == here.thumbnail()
    assert not running


def test_a_search_finds_the_same_through_a_process() -> None:
    """The index asks a process for what it would decode itself."""
    index = ImageIndex.build([Reference(name, picture(name)) for name in ("car", "vin")])
    sent = encoded(Image.open(Path(__file__).parents[1] / "fixtures/images/car.jpg").reduce(2), "PNG")

    apart = index.find(sent, opened=partial(decode_apart, running=set()))

    assert apart.matches[0].id == "car"
    assert apart == ImageIndex.build([Reference(name, picture(name)) for name in ("car", "vin")]).find(sent)


def test_a_slow_process_is_killed(slow: bytes) -> None:
    """The error says how long the picture could take."""
    running = set[DecodingProcess]()

    with (
        pytest.raises(DecodeTimeoutError, match=r"not decoded within 0\.5 s"),
        decode_apart(slow, seconds=0.5, running=running),
    ):
        pass
    assert not running


def test_errors_of_a_process_are_those_of_the_picture() -> None:
    """A damaged picture is damaged in a process, too."""
    data = drawn(size=(900, 900))

    with pytest.raises(TruncatedImageError, match="PNG"), decode_apart(data[:-2000], running=set()):
        pass


def test_a_process_that_dies_gives_an_error() -> None:
    """A decoder that crashes ends its process, not the server."""
    running = set[DecodingProcess]()

    with decode_apart(drawn(size=(900, 900)), running=running) as apart:
        (process,) = running
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(TruncatedImageError, match="the decoder ended with code"):
            apart.full()


def test_a_program_that_contains_python_decodes_in_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its executable is not Python: started as a decoder, it would start the whole program again."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    running = set[DecodingProcess]()

    with decode_apart(drawn(size=(90, 90)), running=running) as decoded:
        assert decoded.size == (90, 90)
        assert not running


def test_a_process_ends_with_its_parent() -> None:
    """A process whose parent is killed reads the end of its input, and ends."""
    code = "import os; from mock_server.imaging.decoding_process import DecodingProcess as P; print(P(60).pid, flush=1)"
    parent = subprocess.run([sys.executable, "-c", f"{code}; os._exit(0)"], capture_output=True, check=True)
    pid = int(parent.stdout)

    _wait(lambda: not _is_running(pid))


def _is_running(pid: int) -> bool:
    try:
        # The process that adopts orphans in a container may never collect them.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait(condition: Callable[[], bool]) -> None:
    assert eventually(condition)


@pytest.fixture(scope="module")
def impatient() -> Iterator[MockServer]:
    """A server that gives a picture one second."""
    with MockServer(FIXTURES, decode_timeout=1) as server:
        yield server


@pytest.mark.pins("vehicore-400-too-slow", "carsxe-too-slow")
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_a_slow_picture_is_refused_like_a_bad_one(impatient: MockServer, slow: bytes, provider: Provider) -> None:
    """The provider's own refusal; the journal has the reason; nothing is charged."""
    key = impatient.create_account(credits={"plate": 5}).key
    with httpx.Client(base_url=impatient.url, timeout=PATIENCE) as client:
        reply = call(client, provider, image=slow, key=key)
        damaged = call(client, provider, image=drawn()[:-100], key=key)

    assert (reply.status_code, reply.json()) == (damaged.status_code, damaged.json())
    entry = impatient.requests(key=key)[0]
    assert (entry.outcome, entry.charged) == ("invalid_image", 0)
    assert "DecodeTimeoutError: not decoded within 1 s" in (entry.detail or "")


def test_slow_pictures_keep_neither_others_nor_the_end_waiting(slow: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six do not delay an ordinary picture that no client has sent before.

    When the grace is over, `stop` kills the processes, and drops what waits for one.
    """
    monkeypatch.setattr("mock_server.runner.GRACE_SECONDS", 0.3)
    server = MockServer(FIXTURES, decode_timeout=300).start()
    processes = server.app._pictures._processes
    with ThreadPoolExecutor(6) as threads, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        replies = [threads.submit(vehicore, client, image=slow + bytes([number])) for number in range(6)]
        _wait(lambda: len(processes) == 2)
        pids = [process.pid for process in processes]
        assert vehicore(client, image=drawn("ordinary")).status_code == 200
        assert not any(one.done() for one in replies)
        server.stop()

        assert not [reply for reply in replies if not reply.exception() and reply.result().is_success]
    _wait(lambda: not processes)
    assert not any(map(_is_running, pids))


def test_a_process_ends_whatever_its_threads_do() -> None:
    """A thread that a library keeps busy does not keep the command alive."""
    code = (
        "import threading, time; from mock_server import runner; runner.EXIT_SECONDS = 0.1; "
        "threading.Thread(target=time.sleep, args=[3600]).start(); runner.end_soon(3)"
    )

    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE, check=False).returncode == 3


def test_a_command_with_slow_pictures_ends_with_zero(slow: bytes) -> None:
    """SIGTERM lets slow pictures be refused first; both clients get their replies."""
    with (
        served(str(FIXTURES), "--decode-timeout", "2") as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as client,
        ThreadPoolExecutor(2) as threads,
    ):
        replies = [threads.submit(vehicore, client, image=slow + bytes([number])) for number in range(2)]
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").parent.parent
        seen = set[str]()

        def have_begun() -> bool:
            seen.update(*(one.read_text().split() for one in children.glob("*/children")))
            return len(seen) == 2

        _wait(have_begun)
        assert server.end() == 0
        assert [reply.result().status_code for reply in replies] == [400, 400]
