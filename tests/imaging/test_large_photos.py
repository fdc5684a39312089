"""Photos of 64 and 108 million pixels are read; damaged pictures and decompression bombs are not."""

from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mock_server.errors import TooManyPixelsError, TruncatedImageError
from mock_server.imaging.decode import decode
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region
from mock_server.imaging.open_image import inspect

SIZE = (12_000, 9_000)
LABEL = Box(6_400, 5_200, 8_800, 5_800)


def encoded(image: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def ground() -> Image.Image:
    rng = np.random.default_rng(3)
    cells = Image.fromarray(rng.integers(0, 256, (9, 12), dtype=np.uint8))
    return cells.resize((1_200, 900), Image.Resampling.BICUBIC)


@cache
def photo(text: str) -> bytes:
    """A photo of 108 million pixels with a label, in grey to save time."""
    picture = ground().resize(SIZE, Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((LABEL.xmin, LABEL.ymin, LABEL.xmax, LABEL.ymax), 235)
    draw.text((7_600, 5_500), text, 25, ImageFont.load_default(440), anchor="mm")
    return encoded(picture, quality=60)


def declaring(data: bytes, size: tuple[int, int]) -> bytes:
    """A JPEG whose header declares another size."""
    frame = next(at for at in range(len(data)) if data[at : at + 2] in (b"\xff\xc0", b"\xff\xc2"))
    edges = size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big")
    return data[: frame + 5] + edges + data[frame + 9 :]


def test_a_large_photo_is_decoded_reduced() -> None:
    """No copy of a photo of 108 million pixels has more than a quarter of them, and all show the same."""
    picture = decode(photo("7KVD309"))

    assert picture.size == SIZE
    assert (picture.working.size, picture.zoom) == ((1_500, 1_125), 1 / 8)
    assert (picture.full().size, picture.full_zoom) == ((6_000, 4_500), 1 / 2)
    assert picture.working_colours().size == picture.working.size
    assert picture.at(1.0)[1] == 1 / 2
    assert max(Image.open(BytesIO(picture.thumbnail())).size) == 128


def test_a_large_photo_matches() -> None:
    """A photo of 108 million pixels matches a reduced copy; a neighbour by one character does not."""
    region = (Region(LABEL, 7),)
    small = decode(photo("7KVD309")).full().resize((3_000, 2_250), Image.Resampling.BOX)
    own = ImageIndex.build([Reference("own", photo("7KVD309"), region)], workers=1)
    other = ImageIndex.build([Reference("other", photo("7KVD308"), region)], workers=1)
    found = own.find(encoded(small, quality=85)).matches

    assert [match.id for match in found] == ["own"]
    mapped = found[0].placement.map(LABEL)
    assert abs(mapped.xmin - LABEL.xmin / 4) <= 2
    assert abs(mapped.ymax - LABEL.ymax / 4) <= 2
    assert other.find(encoded(small, quality=85)).matches == ()


@pytest.mark.parametrize("size", [(9_248, 6_936), (12_000, 9_000), (16_320, 12_240)])
def test_sizes_of_phone_photos_are_within_the_limit(size: tuple[int, int]) -> None:
    """A baseline JPEG of 64, 108 or 200 million pixels is not refused."""
    header = inspect(declaring(encoded(ground()), size))

    assert (header.width, header.height) == size


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (encoded(ground()), (20_000, 20_000)),
        (encoded(ground(), progressive=True), (9_248, 6_936)),
        (encoded(ground(), progressive=True), (65_000, 65_000)),
    ],
    ids=["baseline", "progressive", "huge progressive"],
)
def test_bombs_are_refused(data: bytes, size: tuple[int, int]) -> None:
    """A JPEG that would take too much memory is refused by its header: progressive ones cannot be decoded reduced."""
    with pytest.raises(TooManyPixelsError):
        decode(declaring(data, size))


def test_a_limit_below_the_default_is_strict() -> None:
    """A limit that is set lower on purpose applies to a JPEG as it is."""
    with pytest.raises(TooManyPixelsError) as caught:
        decode(encoded(ground()), max_pixels=1_000_000)

    assert caught.value.limit == 1_000_000


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_damaged_png_is_refused(share: float, mode: str) -> None:
    """A PNG with 200 bytes of its data overwritten is damaged, and not a picture with something missing."""
    rng = np.random.default_rng(1)
    noisy = Image.fromarray(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)).convert(mode)
    data = bytearray(encoded(noisy, "PNG"))
    middle = int(share * len(data))
    data[middle : middle + 200] = bytes(200)

    with pytest.raises(TruncatedImageError):
        decode(bytes(data))
