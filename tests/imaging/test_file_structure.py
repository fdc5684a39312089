"""The parts of a file are counted before a decoder reads it: a small file cannot occupy one for minutes."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from unittest.mock import patch

import pytest
from PIL import Image, ImageFile

from mock_server.errors import ImageError, TooComplexImageError
from mock_server.imaging.decode import decode
from mock_server.imaging.file_structure import examine
from mock_server.imaging.open_image import inspect
from tests.support import drawn, encoded

SIZE = (64, 48)


def jpeg(**options: object) -> bytes:
    return encoded(Image.new("RGB", SIZE, "navy"), "JPEG", **options)


def with_scans(data: bytes, count: int, size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG with its last scan repeated, so that it has `count` scans, and the header of a picture of that size."""
    starts = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    repeated = data[starts[-1] : -2] * (count - len(starts))
    frame = next(at for at in range(len(data)) if data[at : at + 2] in (b"\xff\xc0", b"\xff\xc2"))
    edges = struct.pack(">HH", size[1], size[0])
    return data[: frame + 5] + edges + data[frame + 9 : -2] + repeated + b"\xff\xd9"


def in_header(segments: bytes) -> bytes:
    """A JPEG with more segments in its header."""
    data = jpeg()
    return data[:2] + segments + data[2:]


def png(chunks: bytes, *, behind: bytes = b"") -> bytes:
    """A PNG with more chunks before and behind its pixels."""
    data = drawn(size=SIZE)
    return data[:33] + chunks + data[33:-12] + behind + data[-12:]


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def directory(*entries: tuple[int, int, int, int]) -> bytes:
    """A TIFF file with one directory: entries of tag, type, count and value."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(entries)) + packed + bytes(4)


def greedy(count: int, size: int) -> bytes:
    """A directory in which each of `count` values is all of the file of `size` bytes."""
    return directory(*((tag, 1, size, 0) for tag in range(1000, 1000 + count))).ljust(size, b"\0")


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    content = b"".join(kind + struct.pack("<I", len(data)) + data for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(content) + 4) + b"WEBP" + content


def tiff(tag: int, value: int) -> bytes:
    """A TIFF in which an entry has another count and value."""
    data = bytearray(encoded(Image.new("L", SIZE), "TIFF"))
    (start,) = struct.unpack_from("<I", data, 4)
    struct.pack_into("<HHII", data, start + 2, tag, 4, value, value)
    return bytes(data) + bytes(4 * value)


def gif(blocks: int) -> bytes:
    """A GIF with comments before its frame."""
    data = encoded(Image.new("P", SIZE), "GIF")
    start = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    return data[:start] + b"\x21\xfe" + b"\x01a" * blocks + b"\x00" + data[start:]


TOO_COMPLEX: dict[str, tuple[Callable[[], bytes], str]] = {
    "200 scans": (lambda: with_scans(jpeg(progressive=True), 200), "200 scans, 64 allowed"),
    "many pixels in many scans": (lambda: with_scans(jpeg(progressive=True), 40, (8000, 8000)), "40 scans, 20 allowed"),
    "scans of a baseline JPEG": (lambda: with_scans(jpeg(), 100), "100 scans, 64 allowed"),
    "markers": (lambda: in_header(b"\xff\xfe\x00\x02" * 7_000_000), "2001 segments, 2000 allowed"),
    "markers between scans": (
        lambda: jpeg()[:-2] + b"\xff\xfe\x00\x02" * 7_000_000 + b"\xff\xd9",
        "2001 segments, 2000 allowed",
    ),
    "markers without a length": (lambda: in_header(b"\xff\xd0" * 15_000_000), "2001 segments, 2000 allowed"),
    "ends of image in the header": (lambda: in_header(b"\xff\xd9" * 3000), "2001 segments, 2000 allowed"),
    "fill bytes": (lambda: in_header(b"\xff" * 30_000_000), "10001 bytes between segments, 10000 allowed"),
    "stuffed bytes": (lambda: in_header(b"\xff\x00" * 15_000_000), "10001 bytes between segments, 10000 allowed"),
    "bytes between segments": (
        lambda: in_header(b"\xff\xfe\x00\x02" + bytes(30_000_000)),
        "10001 bytes between segments, 10000 allowed",
    ),
    "scans behind a false end": (
        lambda: with_scans(jpeg()[:-2] + b"\xff\xfe\x00\x04\xff\xd9" + jpeg(progressive=True)[2:], 90),
        "scans, 64 allowed",
    ),
    "EXIF in pieces": (
        lambda: in_header(b"\xff\xe1\xff\xffExif\x00\x00".ljust(65_537, b"\0") * 400),
        "17 EXIF segments, 16 allowed",
    ),
    "EXIF that refers to itself": (
        lambda: in_header(b"\xff\xe1" + struct.pack(">H", 60_008) + b"Exif\x00\x00" + greedy(4000, 60_000)),
        "bytes of metadata",
    ),
    "Photoshop segments": (
        lambda: in_header(b"\xff\xed\x00\x10Photoshop 3.0\x00" * 60),
        "51 Photoshop segments, 50 allowed",
    ),
    "quantization tables": (
        lambda: in_header(b"\xff\xdb\xff\xff".ljust(65_537, b"\0") * 2),
        "bytes of quantization tables",
    ),
    "PNG chunks": (lambda: png(chunk(b"vpAg") * 100_000), "20001 chunks, 20000 allowed"),
    "PNG chunks behind the pixels": (lambda: png(b"", behind=chunk(b"vpAg") * 100_000), "20001 chunks"),
    "PNG texts": (lambda: png(chunk(b"tEXt", b"a\x00b") * 2000), "1001 text chunks, 1000 allowed"),
    "PNG EXIF that refers to itself": (lambda: png(chunk(b"eXIf", greedy(4000, 100_000))), "bytes of metadata"),
    "PNG with a long directory": (lambda: png(chunk(b"eXIf", greedy(5000, 100_000))), "5000 directory entries"),
    "WebP chunks": (lambda: riff(*[(b"ANMF", b"")] * 60_000), "20001 chunks, 20000 allowed"),
    "WebP EXIF that refers to itself": (lambda: riff((b"EXIF", greedy(4000, 100_000))), "bytes of metadata"),
    "GIF comments": (lambda: gif(1_000_000), "10001 blocks, 10000 allowed"),
    "TIFF that refers to itself": (lambda: greedy(4000, 100_000), "bytes of metadata"),
    "TIFF strips": (lambda: tiff(273, 1_000_000), "1000000 strips or tiles, 100000 allowed"),
    "TIFF tiles": (lambda: tiff(324, 1_000_000), "1000000 strips or tiles, 100000 allowed"),
    "AVIF EXIF that refers to itself": (
        lambda: encoded(Image.new("RGB", SIZE), "AVIF") + greedy(4000, 100_000),
        "bytes of metadata",
    ),
}


@pytest.mark.parametrize("name", TOO_COMPLEX)
def test_a_file_with_too_many_parts_is_refused_undecoded(name: str) -> None:
    """The error says which part there is too much of. No decoder sees the file."""
    make, detail = TOO_COMPLEX[name]
    data = make()

    with (
        patch.object(ImageFile.ImageFile, "load", side_effect=AssertionError),
        pytest.raises(TooComplexImageError) as (caught),
    ):
        decode(data)

    assert detail in str(caught.value)


def animation(format: str, frames: int) -> bytes:
    images = [Image.new("RGB", SIZE, (number % 256, number // 256, 60)) for number in range(frames)]
    return encoded(images[0], format, save_all=True, append_images=images[1:])


def endless_tiff() -> bytes:
    """A TIFF whose directory is followed by itself."""
    data = bytearray(encoded(Image.new("L", SIZE, 200), "TIFF"))
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    struct.pack_into("<I", data, start + 2 + 12 * count, start)
    return bytes(data)


ORDINARY: dict[str, Callable[[], bytes]] = {
    "progressive": lambda: jpeg(progressive=True),
    "many progressive scans": lambda: with_scans(jpeg(progressive=True), 20),
    "a depth map in metadata": lambda: in_header((b"\xff\xe1" + struct.pack(">H", 65_000)).ljust(65_002, b"x") * 300),
    "some fill bytes": lambda: in_header(b"\xff" * 500),
    "a second image and a film behind it": lambda: jpeg() + jpeg(progressive=True) * 100 + b"\xff\xda" * 1000,
    "small PNG chunks": lambda: png(b"", behind=chunk(b"tEXt", b"a\x00b") * 500),
    "APNG": lambda: animation("PNG", 200),
    "GIF of many frames": lambda: animation("GIF", 300),
    "WebP of many frames": lambda: animation("WEBP", 100),
    "TIFF of many pages": lambda: animation("TIFF", 50),
    "TIFF that is followed by itself": endless_tiff,
    "EXIF": lambda: jpeg(exif=b"Exif\x00\x00" + directory((0x0112, 3, 1, 1), (0x010F, 2, 20, 30)) + b"maker" * 10),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_files_are_read(name: str) -> None:
    """What cameras, phones and editors write is far below the limits; what follows the first frame does not count."""
    assert decode(ORDINARY[name]()).size == SIZE


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_damaged_files_are_left_to_the_decoder(format: str) -> None:
    """A file that ends anywhere is counted to its end, without an error."""
    data = encoded(Image.effect_noise(SIZE, 50).convert("RGB"), format)

    for _, end in pairwise(range(0, len(data), max(1, len(data) // 97))):
        examine(format, data[:end])


def test_a_picture_costs_what_its_decoder_does() -> None:
    """Each scan of a JPEG goes over all pixels; arithmetic coding, and run lengths in Python, are slow."""
    costs = [examine("JPEG", data).passes for data in (jpeg(), with_scans(jpeg(progressive=True), 20))]
    packed = bytearray(encoded(Image.new("P", SIZE), "BMP"))
    packed[30:34] = b"\x01\x00\x00\x00"
    arithmetic = jpeg().replace(b"\xff\xc0", b"\xff\xc9", 1)

    assert costs[1] > 5 * costs[0]
    assert examine("BMP", bytes(packed)).passes > 5 * examine("BMP", encoded(Image.new("P", SIZE), "BMP")).passes
    assert examine("JPEG", arithmetic).passes > 5 * costs[0]


def test_the_orientation_of_a_png_is_known_undecoded() -> None:
    """EXIF may stand behind the pixels of a PNG."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = png(b"", behind=chunk(b"eXIf", exif.tobytes()[6:]))

    with patch.object(ImageFile.ImageFile, "load", side_effect=AssertionError):
        header = inspect(data)

    assert (header.width, header.height) == SIZE[::-1]
    assert decode(data).size == SIZE[::-1]


def test_any_other_bytes_are_no_picture() -> None:
    """The counting of one format never sees another one."""
    with pytest.raises(ImageError):
        inspect(BytesIO(b"II*\x00").getvalue())


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("position", [200, 2**31, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_directory_beyond_the_file(order: str, position: int) -> None:
    """A large TIFF (with numbers of 64 bits) is damaged then; a JPEG with such metadata is read without it."""
    head = struct.pack(f"{order}2sHHHQ", b"II" if order == "<" else b"MM", 43, 8, 0, position)
    exif = b"Exif\0\0" + head

    with pytest.raises(ImageError, match="TIFF"):
        decode(head + bytes(60))
    assert inspect(in_header(b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif)).width == SIZE[0]
