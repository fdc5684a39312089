"""The standard library alone: parts made by `email`, which folds long headers and begins with a line of text."""

import json
import sys
import urllib.error
import urllib.request
from email.message import EmailMessage
from email.policy import HTTP
from pathlib import Path

BOUNDARY = "===============7330845974216740156=="
FOLDING = HTTP.clone(max_line_length=40)


def part(name: str, content: bytes, filename: str | None = None, **disposition: str) -> bytes:
    message = EmailMessage(policy=FOLDING)
    message.add_header("Content-Disposition", "form-data", name=name, **({"filename": filename} if filename else {}))
    message["Content-Type"] = "application/octet-stream" if filename else 'text/plain; charset="utf-8"'
    return bytes(message) + content


def upload(image: Path) -> bytes:
    parts = [part("userLanguage", b"en"), part("image", image.read_bytes(), image.name)]
    delimiter = f"--{BOUNDARY}".encode()
    body = b"".join(b"\r\n" + delimiter + b"\r\n" + one for one in parts)
    return b"This is a multi-part message in MIME format." + body + b"\r\n" + delimiter + b"--\r\n"


for line in sys.stdin:
    kind, url, *rest = line.rstrip("\n").split("\t")
    if kind == "upload":
        headers = {"X-API-Key": rest[0], "Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'}
        request = urllib.request.Request(url, upload(Path(rest[1])), headers)
    else:
        request = urllib.request.Request(url, rest[0].encode(), {"Content-Type": "application/json"})
    try:
        reply = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        print(reply.status, json.dumps(json.load(reply)), sep="\t")
