"""Fixture directories made for one test."""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from mock_server.core.model import OutcomeName
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.settings import setting_names

Write = Callable[[Mapping[str, str | bytes]], Path]


def png(text: str = "7XYZ123", size: tuple[int, int] = (400, 200)) -> bytes:
    """A picture with a text on it."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((size[0] // 8, size[1] // 3), text, fill="black", font_size=size[1] // 4)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files below a directory that holds the picture images/car.png of 400 x 200 pixels; returns it."""
    root = tmp_path / "fixtures"

    def written(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    written({"images/car.png": png(), "images/truck.png": png("9DJC652")})
    return written


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """The names that the server knows."""
    variants = {
        "vehicore": {OutcomeName.NOTHING_FOUND: frozenset({"empty_result", "validation_error"})},
        "carsxe": {
            OutcomeName.NOTHING_FOUND: frozenset({"not_found", "empty_results", "missing_results"}),
            OutcomeName.OUT_OF_CREDITS: frozenset({"usage", "tier_message"}),
            OutcomeName.RATE_LIMITED: frozenset({"usage", "upstream"}),
        },
    }
    return Vocabulary(variants, frozenset(setting_names()))
