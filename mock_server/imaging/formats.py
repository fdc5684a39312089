"""Recognises image formats by their first bytes."""

from mock_server.errors import EmptyImageError, NotAnImageError, UnsupportedImageError

Bytes = bytes | memoryview

# Formats that are read: Pillow's name, offset of the signature, signature.
_SUPPORTED = (
    ("JPEG", 0, b"\xff\xd8\xff"),
    ("PNG", 0, b"\x89PNG\r\n\x1a\n"),
    ("GIF", 0, b"GIF87a"),
    ("GIF", 0, b"GIF89a"),
    ("TIFF", 0, b"II*\x00"),
    ("TIFF", 0, b"MM\x00*"),
    ("TIFF", 0, b"II+\x00"),
    ("TIFF", 0, b"MM\x00+"),
)

# Formats of pictures or pages that are not read.
_UNSUPPORTED = (
    ("PDF", 0, b"%PDF-"),
    ("EPS", 0, b"%!PS"),
    ("ICO", 0, b"\x00\x00\x01\x00"),
    ("CUR", 0, b"\x00\x00\x02\x00"),
    ("PSD", 0, b"8BPS"),
    ("JPEG2000", 0, b"\x00\x00\x00\x0cjP  \r\n\x87\n"),
    ("JPEG2000", 0, b"\xff\x4f\xff\x51"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("JPEG XL", 0, b"\x00\x00\x00\x0cJXL \r\n\x87\n"),
    ("JPEG XR", 0, b"II\xbc\x01"),
    ("DDS", 0, b"DDS "),
    ("QOI", 0, b"qoif"),
    ("EXR", 0, b"\x76\x2f\x31\x01"),
    ("HDR", 0, b"#?RADIANCE"),
    ("ICNS", 0, b"icns"),
    ("XCF", 0, b"gimp xcf"),
    ("FITS", 0, b"SIMPLE  ="),
    ("WMF", 0, b"\xd7\xcd\xc6\x9a"),
    ("RAF", 0, b"FUJIFILMCCD-RAW"),
    ("RW2", 0, b"IIU\x00"),
    ("ORF", 0, b"IIRO"),
    ("FLIF", 0, b"FLIF"),
    ("BPG", 0, b"BPG\xfb"),
    ("PCX", 0, b"\x0a\x05\x01"),
    ("DJVU", 0, b"AT&TFORM"),
)

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
# Bytes that are enough to recognise any of them.
_HEAD = 512


def sniff(data: Bytes) -> str:
    """The format of `data`, by Pillow's name ("JPEG", "PNG", …, "HEIF").

    Raises EmptyImageError, NotAnImageError, and UnsupportedImageError for formats that are not read.
    """
    if not len(data):
        raise EmptyImageError
    head = bytes(data[:_HEAD])
    for name, offset, signature in _SUPPORTED:
        if head.startswith(signature, offset):
            return name
    container = _riff(head) or _iso_media(head) or _bitmap(head, len(data))
    if container:
        return container
    raise _refusal(head)


def _riff(head: bytes) -> str | None:
    return "WEBP" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def _iso_media(head: bytes) -> str | None:
    """AVIF or HEIF: both use the ISO media container, whose first box lists brands."""
    if head[4:8] != b"ftyp":
        return None
    length = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(length, len(head)), 4))]
    # The brand "mif1" means any still picture, and AVIF files list it too, so AVIF comes first.
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "AVIF"
    return "HEIF" if any(brand in _HEIF_BRANDS for brand in brands) else None


def _bitmap(head: bytes, size: int) -> str | None:
    """BMP: its two letters may also begin a text, so the length of its header must be valid, too."""
    if head[:2] != b"BM" or size < 26:
        return None
    return "BMP" if int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124) else None


def _refusal(head: bytes) -> UnsupportedImageError | NotAnImageError:
    for name, offset, signature in _UNSUPPORTED:
        if head.startswith(signature, offset):
            return UnsupportedImageError(name)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<svg") or (
        text.startswith((b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text
    ):
        return UnsupportedImageError("SVG")
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3].isspace():
        return UnsupportedImageError("PNM")
    return NotAnImageError()
