"""Every error that this package raises on purpose, as one tree below `MockServerError`.

Errors carry data. The text that a client sees is written where the error is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class MockServerError(Exception):
    """Base class of all errors of this package. Never raised itself."""


class SettingsError(MockServerError):
    """A flag, an environment variable or a setting in `mock.yaml` that cannot be used."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a fixture file. `line` and `column` count from 1, and are 0 where there is no place."""

    file: str
    line: int
    column: int
    what: str
    hint: str = ""
    warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.warning else ""
        hint = f" — {self.hint}" if self.hint else ""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {kind}{self.what}{hint}"


class FixturesError(MockServerError):
    """All mistakes in the fixture files, in order of file and line."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class ImageError(MockServerError):
    """Bytes that are not a usable picture. Never raised itself."""


class EmptyImageError(ImageError):
    """No bytes."""


class NotAnImageError(ImageError):
    """Bytes that are not of any image format."""


class UnsupportedImageError(ImageError):
    """An image of a format that is not supported. `format` is its name where it is known."""

    def __init__(self, format: str = "unknown") -> None:
        self.format = format
        super().__init__(format)


class TruncatedImageError(ImageError):
    """An image of a known format that ends early or is damaged."""


class TooManyPixelsError(ImageError):
    """An image with more pixels than allowed, by its header. It was not decoded."""

    def __init__(self, pixels: int, limit: int) -> None:
        self.pixels = pixels
        self.limit = limit
        super().__init__(f"{pixels} pixels, {limit} allowed")


class TooComplexImageError(ImageError):
    """An image that has `count` of `parts`, such as scans or chunks, and more than allowed. It was not decoded."""

    def __init__(self, parts: str, count: int, limit: int) -> None:
        self.parts = parts
        self.count = count
        self.limit = limit
        super().__init__(f"{count} {parts}, {limit} allowed")


class DecodeTimeoutError(ImageError):
    """An image whose decoding was ended after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"not decoded within {seconds:g} s")


class BodyTooLargeError(MockServerError):
    """A request body over `limit` bytes. `declared` is its Content-Length, or None.

    `is_drained`: whether the whole body was read and dropped. If not, the connection cannot be used again.
    """

    def __init__(self, limit: int, declared: int | None, *, is_drained: bool) -> None:
        self.limit = limit
        self.declared = declared
        self.is_drained = is_drained
        super().__init__(f"{declared or 'more'} bytes, {limit} allowed")


class ClientDisconnectedError(MockServerError):
    """The client disconnected before its request was complete or answered. No reply can be sent."""


class MultipartError(MockServerError):
    """A malformed multipart/form-data body. Its text, the reason, does not quote the body."""


class FaultUnavailableError(MockServerError):
    """A fault that needs the client's connection, under a server that does not give access to it."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"{fault} needs a real connection: serve with vehicle-ocr-mock or MockServer")


class FetchError(MockServerError):
    """An image URL that may not be fetched or could not be fetched. The text says which."""


class FetchRefusedError(FetchError):
    """An image URL that may not be fetched."""


class UnknownPreferenceError(MockServerError):
    """A client forces a scenario, outcome or status that does not exist. `close` is a similar name that exists."""

    def __init__(self, kind: str, name: str, close: str | None) -> None:
        self.kind = kind
        self.name = name
        self.close = close
        super().__init__(f"{kind} {name}")


class FingerprintsLostError(MockServerError):
    """The disk does not give back what is stored of the pictures."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"what is stored of the pictures cannot be read: {reason}; a reload reads the pictures again: "
            "POST /__admin/reload"
        )


class StoreUnavailableError(MockServerError):
    """The shared store does not answer."""


class NotFoundError(MockServerError):
    """An admin call names something that does not exist."""


class ConflictError(MockServerError):
    """An admin call would create something that exists already."""


class RefusedError(MockServerError):
    """The admin API refused a call. `errors` are its details: what is wrong, and where."""

    def __init__(self, status: int, detail: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        super().__init__("\n".join([detail, *(f"  {_placed(error)}" for error in errors if len(errors) > 1)]))


def _placed(error: Mapping[str, Any]) -> str:
    place = error.get("pointer") or error.get("parameter") or error.get("part") or ""
    if "line" in error:
        place = f"{error['line']}:{error['column']}"
    return f"{place}: {error.get('detail', '')}" + (f" — {error['hint']}" if error.get("hint") else "")


class VerificationError(MockServerError, AssertionError):
    """`verify` did not find the expected exchanges."""
