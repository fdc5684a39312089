"""Seeded changes of bytes, texts and documents. The same seed gives the same changes."""

import random
from collections.abc import Callable, Sequence
from typing import Any

_BYTES = (
    *(b"", b"\0", b"\xff", b"\r\n", b"\n", b"\r\n\r\n", b"--", b'"', b"\\", b";", b",", b"=", b"%", b"%00"),
    b" " * 99,
)
_LENGTHS = (0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)

TEXTS = (
    *("", " ", "-", "0", "-1", "9" * 30, "1e999", "NaN", "null", "true", "none", "\0", "\U0001f697", "\ufeff"),
    *("a" * 600, "ä" * 300, "../../etc/passwd", "%2e%2e%2f", "http://x/", "http://[", "http://x:99999/"),
    *("https://é.test/", "data:,", "data:;base64,", "data:image/png;base64,AAAA", "${HOME}", "${", "*" * 50, "["),
    *("?a=b&a=b", "mock-read", "read", "\u202e", "\u2028", "a\nb", "a\r\nb: c", "'", '"', "<script>", "{{7*7}}"),
    *("2026-13-40T99:99:99Z", "31d", "-5m"),
)
"""Texts that are known to be difficult."""

VALUES: tuple[Any, ...] = (
    *TEXTS,
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, -(2**70), 0.1, -0.0, 1e308, 1e-320),
    *([], {}, [None], [[]], {"": ""}, {"a": {"b": ["c"]}}, ["read"], {"uniform": ["1ms", "2ms"]}),
)
"""JSON values that are known to be difficult."""


def changed_bytes(data: bytes, rng: random.Random, *, most: int = 6) -> bytes:
    """The same bytes after one to `most` changes."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, most)):
        rng.choice(_CHANGES)(changed, rng)
    return bytes(changed)


def _flip(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _replace(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.randrange(256)


def _insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randint(0, len(data))
    data[at:at] = rng.choice(_BYTES) if rng.random() < 0.7 else rng.randbytes(rng.randint(1, 20))


def _delete(data: bytearray, rng: random.Random) -> None:
    start, end = _span(data, rng)
    del data[start:end]


def _repeat(data: bytearray, rng: random.Random) -> None:
    start, end = _span(data, rng)
    data[end:end] = data[start:end] * rng.choice((1, 2, 50))


def _move(data: bytearray, rng: random.Random) -> None:
    start, end = _span(data, rng)
    at = rng.randint(0, len(data))
    data[at:at] = data[start:end]


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randint(0, len(data)) :]


def _write_length(data: bytearray, rng: random.Random) -> None:
    size = rng.choice((1, 2, 4))
    if len(data) > size:
        at = rng.randrange(len(data) - size)
        value = rng.choice(_LENGTHS) % 256**size
        data[at : at + size] = value.to_bytes(size, rng.choice(("big", "little")))


def _span(data: bytearray, rng: random.Random) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((1, 2, 4, 16, 100)))


_CHANGES: Sequence[Callable[[bytearray, random.Random], None]] = (
    *(_flip, _replace, _replace, _insert, _insert, _delete, _repeat, _move, _cut, _write_length, _write_length),
)


def changed_document(document: Any, rng: random.Random) -> Any:
    """The same JSON document with some values replaced, left out or added. The original stays as it is."""
    if rng.random() < 0.08:
        return rng.choice(VALUES)
    if isinstance(document, dict):
        changed = {key: changed_document(value, rng) for key, value in document.items() if rng.random() > 0.05}
        if rng.random() < 0.1:
            changed[str(rng.choice((*document, *TEXTS)))] = rng.choice(VALUES)
        return changed
    if isinstance(document, list):
        items = [changed_document(item, rng) for item in document if rng.random() > 0.05]
        return items * rng.choice((1, 1, 1, 1, 3))
    return document
