"""Decodes an expensive picture in a process of its own, which is killed when it takes too long.

A thread cannot be stopped while a decoder works, and memory that it has used does not all return to the system. The
process starts with the picture and ends with it. It takes a quarter of a second to start, so cheap pictures are decoded
in the thread that asks for them.
"""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from PIL import Image

from mock_server.errors import DecodeTimeoutError, ImageError, TruncatedImageError
from mock_server.imaging.decode import ExpensivePicture, Picture, decode
from mock_server.imaging.open_image import DEFAULT_MAX_PIXELS
from mock_server.imaging.results import Bytes

DEFAULT_SECONDS = 10.0
# A picture is cheap if one core decodes it in this time, and in this share of the limit. The photos of most phones are.
_CHEAP_SECONDS = 1.2
_CHEAP_SHARE = 0.125

_PARTS: dict[str, Callable[[Picture], Any]] = {
    "small copies": lambda picture: (picture.facts, picture.preview, picture.small),
    "working copy": lambda picture: picture.working,
    "full": Picture.full,
    "full grey": Picture.full_grey,
    "pixels": Picture.pixels,
    "working colours": Picture.working_colours,
}
"""What a process is asked for."""


@contextlib.contextmanager
def decode_cheap(
    data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS, seconds: float = DEFAULT_SECONDS
) -> Iterator[Picture]:
    """The picture, decoded here. Raises ExpensivePicture, and the errors of `ImageError`."""
    yield decode(data, max_pixels=max_pixels, most_seconds=min(_CHEAP_SECONDS, _CHEAP_SHARE * seconds))


@contextlib.contextmanager
def decode_apart(
    data: Bytes,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    seconds: float = DEFAULT_SECONDS,
    running: "set[DecodingProcess]",
) -> Iterator[Picture]:
    """The picture, decoded in a process that ends after `seconds` or with the context. `running` has it meanwhile.

    Raises DecodeTimeoutError after that time, and the other errors of `ImageError`.
    """
    try:
        process = DecodingProcess(seconds)
    except OSError:
        # No program, memory or process is left. The limits on the structure of files still hold.
        yield decode(data, max_pixels=max_pixels)
        return
    running.add(process)
    try:
        with process:
            process.send((bytes(data), max_pixels))
            yield _PictureApart(process, data)
    finally:
        running.discard(process)


@contextlib.contextmanager
def decode_within(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS, seconds: float) -> Iterator[Picture]:
    """The picture, decoded here or apart. Raises the errors of `ImageError`."""
    try:
        picture = decode(data, max_pixels=max_pixels, most_seconds=_CHEAP_SECONDS)
    except ExpensivePicture:
        with decode_apart(data, max_pixels=max_pixels, seconds=seconds, running=set()) as apart:
            yield apart
    else:
        yield picture


class DecodingProcess:
    """A child process with a time limit. Raises OSError if it cannot be started."""

    def __init__(self, seconds: float) -> None:
        if not sys.executable or hasattr(sys, "frozen"):
            raise OSError("this program contains Python, and cannot start it")
        self._seconds = seconds
        # Modules are found where this process finds them, and not in the current directory.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._is_killed = False
        self._timer = threading.Timer(seconds, self.kill)
        self._timer.daemon = True

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        self._process.kill()
        with contextlib.suppress(OSError):
            self._process.communicate()

    def kill(self) -> None:
        """End the process now. What waits for it gets DecodeTimeoutError."""
        self._is_killed = True
        self._process.kill()

    def ask(self, part: str) -> Any:
        """A part of the picture, by its name in `_PARTS`. Raises the errors of `ImageError`."""
        self.send(part)
        assert self._process.stdout is not None
        try:
            answer, text = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise self._error() from None
        if text is not None:
            raise TruncatedImageError(text)
        return answer

    def send(self, message: object) -> None:
        """Write to the process. Raises ImageError if it has ended."""
        assert self._process.stdin is not None
        try:
            pickle.dump(message, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
        except OSError:
            raise self._error() from None

    def _error(self) -> ImageError:
        if self._is_killed:
            return DecodeTimeoutError(self._seconds)
        return TruncatedImageError(f"the decoder ended with code {self._process.wait()}")


class _PictureApart(Picture):
    """A picture whose large copies are made in another process."""

    __slots__ = ("_process",)

    def __init__(self, process: DecodingProcess, data: Bytes) -> None:
        facts, preview, small = process.ask("small copies")
        super().__init__(facts, preview, small, data, None)
        self._process = process

    def _make_working(self) -> Image.Image:
        image: Image.Image = self._process.ask("working copy")
        return image

    def reduced_working(self, factor: int) -> Image.Image:
        return self.working.reduce(factor)

    def full(self) -> Image.Image:
        image: Image.Image = self._process.ask("full")
        return image

    def full_grey(self) -> Image.Image:
        image: Image.Image = self._process.ask("full grey")
        return image

    def pixels(self) -> bytes:
        digest: bytes = self._process.ask("pixels")
        return digest

    def working_colours(self) -> Image.Image:
        image: Image.Image = self._process.ask("working colours")
        return image


def main(requests: BinaryIO, answers: BinaryIO, seconds: float) -> None:
    """Decode the picture that comes first, and answer with its parts until the other side closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "alarm"):
        # The parent may be killed, and then ends no child.
        signal.alarm(int(seconds) + 2)
    data, max_pixels = pickle.load(requests)
    picture: Picture | None = None
    answer: tuple[Any, str | None]
    with contextlib.suppress(EOFError):
        while True:
            part = pickle.load(requests)
            try:
                picture = picture or decode(data, max_pixels=max_pixels)
                answer = _PARTS[part](picture), None
            except ImageError as error:
                answer = None, str(error)
            except MemoryError:
                answer = None, "not enough memory"
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]))
