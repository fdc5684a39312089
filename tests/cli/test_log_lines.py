"""Every log line is exactly one line, and in JSON exactly one object, whatever clients and libraries do."""

import json
import socket
from io import BytesIO
from urllib.parse import quote, urlsplit

import httpx
import pytest
from PIL import Image

from tests.cli.command import served
from tests.support import FIXTURES, PATIENCE, carsxe, encoded, vehicore

SEPARATORS = ("\n", "\r", "\0", "\x0b", "\x1b[31m", "\x85", "\u2028", "\u2029", "\U000e0001")
KEY = "sk_live_4f9a0c77b1e2"


def _damaged_tiff() -> bytes:
    """A TIFF for which libtiff prints a message of its own."""
    out = BytesIO()
    Image.effect_noise((300, 200), 50).save(out, "TIFF", compression="tiff_lzw")
    data = bytearray(out.getvalue())
    for place in range(40, len(data) // 2):
        data[place] = (data[place] * 7 + 3) % 256
    return bytes(data)


@pytest.mark.parametrize("format", ["text", "json"])
def test_one_line_each(format: str) -> None:
    """Keys, paths, file names and pictures of clients; messages of C libraries; malformed requests."""
    with served(str(FIXTURES), "--log-format", format, "--log-level", "debug") as server:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            for separator in SEPARATORS:
                carsxe(client, key=f"abcdefgh{separator}")
                client.post(f"/api/ocr/{quote(separator)}plate")
                client.get(f"/a{quote(separator)}b")
                vehicore(client, filename=f"a{separator}b.jpg", headers={"Prefer": "scenario=a"})
                client.post("/platerecognition", params={"key": "demo-key"}, json={f"a{separator}b": 1})
            client.post(f"/api/ocr/{KEY}")
            client.get(f"/images-of/{KEY}/x")
            vehicore(client, image=_damaged_tiff())
            with socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port)) as raw:
                raw.sendall(b"nonsense\r\n\r\n")
                raw.recv(1000)

        assert server.end() == 0

    lines = server.stderr.removesuffix("\n").split("\n")

    assert server.stderr.isprintable() or set(filter(lambda char: not char.isprintable(), server.stderr)) == {"\n"}
    assert KEY not in server.stderr
    if format == "json":
        assert all(isinstance(json.loads(line), dict) for line in lines)
        events = [json.loads(line)["event"] for line in lines]
        assert events.count("request") == 5 * len(SEPARATORS) + 3
        assert [line for line in lines if json.loads(line).get("logger") == "mock_server.native"]
    else:
        assert sum(" scenario=" in line for line in lines) == 5 * len(SEPARATORS) + 3
        assert [line for line in lines if line.startswith("WARNING mock_server.native: ")]


def _complained_about() -> list[bytes]:
    """A picture about which Pillow logs an error, and one about which it warns."""
    tiff = encoded(Image.new("RGB", (30, 20)), "TIFF")
    samples = b"\x15\x01\x03\x00\x01\x00\x00\x00"  # the tag SamplesPerPixel, one short number
    exif = Image.Exif()
    exif[0x010E] = "a description that is cut off"
    jpeg = encoded(Image.new("RGB", (30, 20)), "JPEG", exif=exif.tobytes()[:-20])
    assert samples + b"\x03" in tiff
    return [tiff.replace(samples + b"\x03\x00", samples + b"\x00\x08"), jpeg]


def test_pillow_logs_nothing() -> None:
    """What is wrong with a picture is in the journal and in the line of its request."""
    with served(str(FIXTURES), "--log-level", "debug") as server:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            for image in _complained_about():
                vehicore(client, image=image)

        assert server.end() == 0
    assert "PIL" not in server.stderr
    assert "Warning" not in server.stderr
