"""The material of the load tests: pictures drawn from seeds, fixtures for some of them, and ready-made requests."""

import io
from pathlib import Path

import numpy as np
import pybase64
from PIL import Image

from benchmarks.load import COUNTER_LENGTH, Request

KEY = "benchmark"
_BOUNDARY = "----benchmark7MA4YWxkTrZu0gW"
_COUNTER = b"0" * COUNTER_LENGTH
_COMMENT = b"\xff\xfe" + (2 + COUNTER_LENGTH).to_bytes(2, "big")  # a JPEG comment, which decoders skip


def picture(seed: int, width: int, height: int, size: int) -> bytes:
    """A JPEG of about `size` bytes: soft shapes and noise, at the quality that gives this size."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 256, (height // 64 + 2, width // 64 + 2, 3), dtype=np.uint8)
    shapes = np.asarray(Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    noise = rng.integers(-16, 17, (height, width, 1), dtype=np.int16)
    drawn = Image.fromarray(np.clip(shapes + noise, 0, 255).astype(np.uint8))
    low, high = 1, 96
    while high - low > 1:
        quality = (low + high) // 2
        if len(_jpeg(drawn, quality)) > size:
            high = quality
        else:
            low = quality
    return _jpeg(drawn, low)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def with_counter(jpeg: bytes) -> bytes:
    """The same picture with a comment for a number, which changes its bytes and not its pixels."""
    return jpeg[:2] + _COMMENT + _COUNTER + jpeg[2:]


def upload(jpeg: bytes, *, unseen: bool = False, tag: str = "") -> Request:
    """A VehiCore upload. `unseen`: with new bytes each time."""
    data = with_counter(jpeg) if unseen else jpeg
    body = b"".join(
        [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="car.jpg"\r\n'.encode(),
            b"Content-Type: image/jpeg\r\n\r\n",
            data,
            f'\r\n--{_BOUNDARY}\r\nContent-Disposition: form-data; name="userLanguage"\r\n\r\nen'.encode(),
            f"\r\n--{_BOUNDARY}--\r\n".encode(),
        ]
    )
    sent = _post("/api/ocr/plate", f"multipart/form-data; boundary={_BOUNDARY}", body)
    return Request(sent, sent.index(_COMMENT + _COUNTER) + len(_COMMENT) if unseen else None, tag)


def by_url(url: str) -> Request:
    """A CarsXE plate call with the URL of a picture."""
    return _post_json("/platerecognition", url.encode())


def as_base64(jpeg: bytes) -> Request:
    """A CarsXE VIN call with a picture in base64."""
    return _post_json("/v1/vinocr", pybase64.b64encode(jpeg))


def get(path: str) -> Request:
    """A GET request."""
    return Request(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n".encode())


def _post_json(path: str, value: bytes) -> Request:
    return Request(_post(f"{path}?key={KEY}", "application/json", b'{"image_url":"' + value + b'"}'))


def _post(path: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: benchmark\r\nAccept: */*\r\n"
        f"X-API-Key: {KEY}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def write_fixtures(directory: Path, pictures: dict[str, bytes]) -> Path:
    """A fixtures directory with one scenario per picture and one unlimited account."""
    (directory / "images").mkdir(parents=True)
    (directory / "scenarios").mkdir()
    (directory / "mock.yaml").write_text(f"accounts: [{{name: benchmark, key: {KEY}}}]\n")
    for number, (name, jpeg) in enumerate(pictures.items()):
        (directory / "images" / f"{name}.jpg").write_bytes(jpeg)
        (directory / "scenarios" / f"{name}.yaml").write_text(_scenario(name, number))
    return directory


def _scenario(name: str, number: int) -> str:
    return (
        f"scenario: {name}\nwhen: {{image: ../images/{name}.jpg}}\nreading:\n"
        f"  plate: {{text: 9DJ{number:04d}, region: us-ca, score: 0.902, box: [80, 100, 160, 130],\n"
        f"          candidates: [{{text: 9OJ{number:04d}, score: 0.742}}],\n"
        "          vehicle: {type: Sedan, score: 0.783, box: [20, 20, 220, 160]}}\n"
        "  vin: {text: JHLRD77874C026456, confidence: 0.983, box: [24, 140, 228, 165]}\n"
    )
