"""Counts the parts of an image file before a decoder reads it, and refuses a file that has too many.

A small file can make a decoder work for minutes: with hundreds of scans, millions of markers or chunks, or metadata
that refers to the same bytes again and again. Here, every loop over a file has a limit. Damaged files are left to the
decoders, which report them better.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mock_server.errors import TooComplexImageError
from mock_server.imaging.results import Bytes

# The limits are several times what cameras, phones and image editors write.
MAX_SCANS = 64  # of a JPEG; encoders write at most 20
MAX_SEGMENTS = 2000  # of a JPEG; a phone's depth map in metadata takes 100 to 200
MAX_SKIPPED = 10_000  # bytes between the segments of a JPEG
MAX_EXIF_SEGMENTS = 16  # of a JPEG; Pillow joins them, which takes quadratic time
MAX_PHOTOSHOP_SEGMENTS = 50  # of a JPEG
MAX_QUANTIZATION = 70_000  # bytes of tables in a JPEG; usual ones have 130 to 520
MAX_CHUNKS = 20_000  # of a PNG or WebP; a PNG of 32 MB has 4,000 with the usual 8 KB each
MAX_TEXT_CHUNKS = 1000  # of a PNG
MAX_BLOCKS = 10_000  # of 255 bytes each, before the first frame of a GIF
MAX_ENTRIES = 4096  # of an image file directory (TIFF and EXIF)
MAX_STRIPS = 100_000  # strips or tiles of a TIFF
MAX_TILE_PIXELS = 16_000_000  # of one TIFF tile

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_STEP = 1 << 18  # bytes that are searched at once: other threads wait while a regular expression searches
_START_OF_SCAN, _END_OF_IMAGE, _QUANTIZATION, _APP1, _APP13 = 0xDA, 0xD9, 0xDB, 0xE1, 0xED
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xDA), 0xC8, *range(0xF0, 0xFE)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # kinds of SOF
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ARITHMETIC = frozenset(range(0xC9, 0xD0)) - {0xCC}
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_PIXEL_CHUNKS = frozenset({b"IDAT", b"fdAT", b"acTL", b"fcTL", b"IEND"})
_EMPTY_PIXELS = b"\0\0\0\0IDAT\x35\xaf\x06\x1e"
_TIFF_TYPE_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
_TIFF_HEADERS = (b"II*\x00", b"MM\x00*")
_TILE_WIDTH, _TILE_LENGTH, _STRIP_OFFSETS, _TILE_OFFSETS, _COMPRESSION = 322, 323, 273, 324, 259
_CHEAP_TIFF_COMPRESSIONS = (1, 5, 8, 32773, 32946)  # none, LZW, deflate, packed bits

# How much longer than for a PNG a decoder works on each pixel.
_BASELINE_JPEG = 0.25
_SCAN = 0.125
_SLOW = 8.0  # decoders in Python, arithmetic coding, formats inside a TIFF


@dataclass(frozen=True, slots=True)
class Structure:
    """How much work a file is. `passes`: how long a decoder works on each pixel, in units of what it takes for a PNG.

    `scans`: how often a JPEG decoder goes over all pixels.
    """

    passes: float = 1.0
    scans: int = 1


def examine(format: str, data: Bytes) -> Structure:
    """The structure of a file of a format (Pillow's name). Raises TooComplexImageError. It decodes nothing."""
    return _EXAMINERS[format](memoryview(data))


def _jpeg(data: memoryview) -> Structure:
    scans = 0
    frame = 0
    counts = dict.fromkeys(("segments", "EXIF segments", "Photoshop segments", "bytes of quantization tables"), 0)
    for marker, content in _jpeg_segments(data):
        _count(counts, "segments", MAX_SEGMENTS)
        if marker in _FRAMES:
            frame = frame or marker
        elif marker == _START_OF_SCAN:
            scans += 1
        elif marker == _APP1 and bytes(content[:4]) == b"Exif":
            _count(counts, "EXIF segments", MAX_EXIF_SEGMENTS)
            _check_exif(content)
        elif marker == _APP13:
            _count(counts, "Photoshop segments", MAX_PHOTOSHOP_SEGMENTS)
        elif marker == _QUANTIZATION and not scans:
            _count(counts, "bytes of quantization tables", MAX_QUANTIZATION, len(content))
    if scans > MAX_SCANS:
        raise TooComplexImageError("scans", scans, MAX_SCANS)
    if frame in _ARITHMETIC:
        return Structure(_SLOW * max(1, scans), scans)
    # A picture with a scan for each channel is decoded like a progressive one: all scans first, and then the pixels.
    is_one_pass = frame not in _PROGRESSIVE and scans <= 1
    return Structure(_BASELINE_JPEG if is_one_pass else _BASELINE_JPEG + _SCAN * scans, scans)


def _jpeg_segments(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Marker and content of each segment, up to the end of the first image."""
    position = 2
    has_scan = False
    skipped = 0
    while position < len(data):
        at = _next_marker(data, position) if has_scan else _next_segment(data, position, MAX_SKIPPED - skipped)
        if at is None:
            return
        skipped += 0 if has_scan else at - position
        marker = data[at + 1]
        if has_scan and marker == _END_OF_IMAGE:
            return
        length = 0 if marker in _WITHOUT_LENGTH else int.from_bytes(data[at + 2 : at + 4], "big")
        position = at + 2 + length
        yield marker, data[at + 4 : position]
        has_scan = has_scan or marker == _START_OF_SCAN


def _next_segment(data: memoryview, position: int, most: int) -> int | None:
    """Where the next segment of the header begins. Decoders skip other bytes, one by one."""
    found = _MARKER.search(data, position, position + most + 2)
    if found is None and position + most + 2 < len(data):
        raise TooComplexImageError("bytes between segments", MAX_SKIPPED + 1, MAX_SKIPPED)
    return found.start() if found else None


def _next_marker(data: memoryview, position: int) -> int | None:
    """Where the coded pixels of a scan, or bytes behind a segment, end."""
    while position < len(data):
        # One byte more, so that no marker is cut in two.
        if found := _MARKER_IN_SCAN.search(data, position, position + _STEP + 1):
            return found.start()
        position += _STEP
    return None


def _png(data: memoryview) -> Structure:
    counts = {"chunks": 0, "text chunks": 0}
    for kind, chunk in _png_chunks(data):
        _count(counts, "chunks", MAX_CHUNKS)
        if kind in _TEXT_CHUNKS:
            _count(counts, "text chunks", MAX_TEXT_CHUNKS)
        elif kind == b"eXIf":
            _check_exif(chunk[8:])
    return Structure()


def png_without_pixels(data: Bytes) -> bytes:
    """A PNG file with the same metadata and no pixels. Chunks behind the pixels stand before their place."""
    view = memoryview(data)
    chunks = [chunk for kind, chunk in _png_chunks(view) if kind not in _PIXEL_CHUNKS]
    return b"".join([view[:8], *chunks, _EMPTY_PIXELS])


def _png_chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and bytes of each chunk, from its length to its checksum."""
    position = 8
    kind = b""
    while position + 12 <= len(data) and kind != b"IEND":
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        kind = bytes(data[position + 4 : position + 8])
        yield kind, data[position:end]
        position = end


def _webp(data: memoryview) -> Structure:
    counts = {"chunks": 0}
    position = 12
    while position + 8 <= len(data):
        _count(counts, "chunks", MAX_CHUNKS)
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        if bytes(data[position : position + 4]) == b"EXIF":
            _check_exif(data[position + 8 : position + 8 + length])
        position += 8 + length + length % 2
    return Structure()


def _gif(data: memoryview) -> Structure:
    """Only the first frame is read, so only what stands before it counts: extensions in blocks of up to 255 bytes."""
    position = 13 + (3 << (data[10] & 7) + 1 if len(data) > 10 and data[10] & 0x80 else 0)
    counts = {"blocks": 0}
    while position + 2 < len(data) and data[position] == 0x21:
        position += 2
        while position < len(data) and data[position]:
            _count(counts, "blocks", MAX_BLOCKS)
            position += 1 + data[position]
        _count(counts, "blocks", MAX_BLOCKS)
        position += 1
    return Structure(0.5)


def _bmp(data: memoryview) -> Structure:
    is_run_length_encoded = len(data) > 34 and data[30] in (1, 2) and not any(data[31:34])
    return Structure(_SLOW if is_run_length_encoded else 0.25)


def _tiff(data: memoryview) -> Structure:
    """Only the first page is read, so only its directory counts."""
    # Of two entries with one tag, Pillow takes the last and libtiff the first.
    values: dict[int, int] = {}
    for tag, (count, value) in _directory(data):
        values[tag] = max(value, values.get(tag, 1))
        if tag in (_STRIP_OFFSETS, _TILE_OFFSETS) and count > MAX_STRIPS:
            raise TooComplexImageError("strips or tiles", count, MAX_STRIPS)
    tile = values.get(_TILE_WIDTH, 1) * values.get(_TILE_LENGTH, 1)
    if tile > MAX_TILE_PIXELS:
        raise TooComplexImageError("pixels in a tile", tile, MAX_TILE_PIXELS)
    is_cheap = values.get(_COMPRESSION, 1) in _CHEAP_TIFF_COMPRESSIONS
    return Structure(1.0 if is_cheap else _SLOW)


def _iso_media(data: memoryview) -> Structure:
    """AVIF and HEIF: their EXIF stands anywhere in the file."""
    file = bytes(data)
    for header in _TIFF_HEADERS:
        position = file.find(header)
        for _ in range(MAX_EXIF_SEGMENTS):
            if position < 0:
                break
            _check_exif(data[position:])
            position = file.find(header, position + 1)
    return Structure()


def _check_exif(data: memoryview) -> None:
    """Refuse EXIF metadata whose values together are larger than all of it: Pillow copies every value."""
    start = 6 if bytes(data[:4]) == b"Exif" else 0
    for _ in _directory(data[start:]):
        pass


def _directory(data: memoryview) -> Iterator[tuple[int, tuple[int, int]]]:
    """Tag, count and value (where it is one number) of each entry in the first image file directory."""
    order = ">" if bytes(data[:1]) == b"M" else "<"
    is_big = bytes(data[2:4]) in (b"+\x00", b"\x00+")
    at, pointer, length, entry = (8, "Q", "Q", "HHQ8s") if is_big else (4, "I", "H", "HHI4s")
    try:
        (start,) = struct.unpack_from(order + pointer, data, at)
        (count,) = struct.unpack_from(order + length, data, start)
    except (struct.error, OverflowError):  # the file ends before, or no file is so long
        return
    if count > MAX_ENTRIES:
        raise TooComplexImageError("directory entries", count, MAX_ENTRIES)
    start += struct.calcsize(order + length)
    size = struct.calcsize(order + entry)
    total = 0
    for position in range(start, min(start + count * size, len(data) - size + 1), size):
        tag, kind, values, raw = struct.unpack_from(order + entry, data, position)
        total += values * (_TIFF_TYPE_SIZES[kind] if kind < len(_TIFF_TYPE_SIZES) else 0)
        yield tag, (values, _number(raw, kind, order))
    if total > len(data) + 8 * MAX_ENTRIES:
        raise TooComplexImageError("bytes of metadata", total, len(data))


def _number(raw: bytes, kind: int, order: str) -> int:
    size = 2 if kind == 3 else len(raw)
    return int.from_bytes(raw[:size], "big" if order == ">" else "little")


def _count(counts: dict[str, int], what: str, limit: int, number: int = 1) -> None:
    counts[what] += number
    if counts[what] > limit:
        raise TooComplexImageError(what, counts[what], limit)


_EXAMINERS: dict[str, Callable[[memoryview], Structure]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "GIF": _gif,
    "BMP": _bmp,
    "TIFF": _tiff,
    "AVIF": _iso_media,
    "HEIF": _iso_media,
}
