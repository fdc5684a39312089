"""Pictures and forms that the Python client sends."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Image = str | Path | bytes
"""A picture: the path of a local file, relative to the working directory, or its bytes."""
Part = tuple[str, str | None, bytes]
"""A part of a form: its name, its file name (None for a text) and its data."""


def read(image: Image) -> bytes:
    """The bytes of a picture."""
    return image if isinstance(image, bytes) else Path(image).read_bytes()


def without_pictures(document: Mapping[str, Any] | str) -> tuple[Mapping[str, Any] | str, list[Part]]:
    """The document with names instead of local pictures, and the pictures as parts with these names."""
    when = document.get("when") if isinstance(document, Mapping) else None
    if isinstance(document, str) or not isinstance(when, Mapping) or "image" not in when:
        return document, []
    images = when["image"] if isinstance(when["image"], list | tuple) else [when["image"]]
    # A text that is no path of a file is the name of a picture that the mock has.
    parts: list[Part] = [
        ("image", f"picture-{number}", read(image))
        for number, image in enumerate(images)
        if not isinstance(image, str) or Path(image).is_file()
    ]
    sent = {filename for _, filename, _ in parts}
    names = [f"picture-{number}" if f"picture-{number}" in sent else image for number, image in enumerate(images)]
    return {**document, "when": {**when, "image": names}}, parts


def multipart(parts: Sequence[Part]) -> tuple[bytes, str]:
    """The body and the content type of a form."""
    boundary = secrets.token_hex(16)
    lines: list[bytes] = []
    for name, filename, data in parts:
        file = "" if filename is None else f'; filename="{filename}"'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        lines += [head.encode(), data, b"\r\n"]
    return b"".join([*lines, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"
