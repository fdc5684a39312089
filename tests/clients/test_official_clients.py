"""The two published CarsXE packages, unmodified, by the real host name, against everything they can meet."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import official_answers
from .fixtures import FAULTS, PLATE, VIN

Answer = dict[str, Any]
Check = Callable[[Answer], bool]


def says(message: str, **also: Any) -> Check:
    """An answer that is exactly the provider's error envelope."""
    return lambda got: got["answer"] == {"success": False, "message": message, **also}


UNKNOWN = "User with this API key was not found or the API key is disabled"
INACTIVE = (
    "User with this API key is not active. To activate update your billing on https://carsxe.com/dashboard/billing"
)
BLOCKED = "This API key has been blocked, please contact support if you believe this is an error."
TIER = (
    "This API is not available for your current subscription tier. "
    "Visit https://carsxe.com/pricing to review upgrade options."
)
OUT = "API usage limit exceeded"
BROKEN = "Could not get information at this time"
GALLERY = "https://api.carsxe.com/images/"
FORCED = "https://pictures.example/mock-"

# What is asked (key, product, URL), and what must come of it.
OUTCOMES: dict[str, tuple[str, str, str, Check]] = {
    "plate": ("demo-key", "plate", GALLERY + PLATE, lambda got: got["answer"]["results"][0]["plate"] == "9djc652"),
    "vin": ("demo-key", "vin", GALLERY + VIN, lambda got: got["answer"]["vin"] == "JHLRD77874C026456"),
    "vin sent as base64": ("demo-key", "vin", "BASE64", lambda got: got["answer"]["vin"] == "JHLRD77874C026456"),
    "no plate": ("demo-key", "plate", FORCED + "nothing_found.jpg", says("No plates detected in image")),
    "no vin": ("demo-key", "vin", FORCED + "nothing_found.jpg", says("No valid VIN candidates found in the image")),
    "no text": ("demo-key", "vin", FORCED + "no_text.jpg", says("No text detected in the image")),
    "unknown key, plate": ("nobody", "plate", GALLERY + PLATE, says(UNKNOWN)),
    "unknown key, vin": ("nobody", "vin", GALLERY + VIN, says(UNKNOWN)),
    "inactive account": ("inactive-key", "plate", GALLERY + PLATE, says(INACTIVE)),
    "blocked key": ("blocked-key", "vin", GALLERY + VIN, says(BLOCKED)),
    "plan": ("basic-plan-key", "plate", GALLERY + PLATE, says(TIER)),
    "quota, plate": (
        "no-credits",
        "plate",
        GALLERY + PLATE,
        says(OUT, usage={"current": 5, "limit": 5, "remaining": 0}),
    ),
    "quota, vin": ("no-credits", "vin", GALLERY + VIN, says(OUT, usage={"current": 7, "limit": 7, "remaining": 0})),
    "service error": ("demo-key", "plate", FORCED + "service_error.jpg", says(BROKEN)),
    "service unreachable": (
        "demo-key",
        "vin",
        FORCED + "upstream_down.jpg",
        says("Cannot access the internet at this time"),
    ),
    "a picture that is not fetched": (
        "demo-key",
        "vin",
        "https://pictures.example/unknown.jpg",
        lambda got: len(got["answer"]["vin"]) == 17,
    ),
    "a picture that the gallery lacks": (
        "demo-key",
        "vin",
        GALLERY + "unknown.jpg",
        says("Invalid image data format. Must be a valid URL or base64 encoded string."),
    ),
    "slow answer": (
        "demo-key",
        "plate",
        "https://pictures.example/slow.jpg",
        lambda got: got["answer"]["results"][0]["plate"] == "slow1" and got["seconds"] >= 0.3,
    ),
    "dribbled answer": (
        "demo-key",
        "plate",
        "https://pictures.example/dribbled.jpg",
        lambda got: got["answer"]["results"][0]["plate"] == "slow2",
    ),
    **{
        f"dropped: {fault}": ("demo-key", "plate", f"https://pictures.example/{fault}.jpg", lambda got: "error" in got)
        for fault in FAULTS
    },
    "after all that, a reading": (
        "demo-key",
        "plate",
        GALLERY + PLATE,
        lambda got: got["answer"]["results"][0]["score"] == 0.902,
    ),
}


@pytest.fixture(scope="session")
def ask(
    fixtures: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], dict[str, Answer]]:
    """Put every question to a package, in one program under `exec`; each package is asked once."""
    asked: dict[str, dict[str, Answer]] = {}
    authority = tmp_path_factory.mktemp("official-ca")
    base64 = (fixtures / "images" / VIN).read_bytes()

    def run(client: str) -> dict[str, Answer]:
        package, *flags = client.split()
        questions = [
            {"key": key, "product": product, "url": b64encode(base64).decode() if url == "BASE64" else url}
            for key, product, url, _ in OUTCOMES.values()
        ]
        found = official_answers(package, questions, fixtures, *flags, authority=authority, request=request)
        return dict(zip(OUTCOMES, found, strict=True))

    def answers(client: str) -> dict[str, Answer]:
        if client not in asked:
            asked[client] = run(client)
        return asked[client]

    return answers


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("client", ["pip", "npm", "pip --proxy", "npm --proxy"])
def test_the_official_client_understands(ask: Callable[[str], dict[str, Answer]], client: str, outcome: str) -> None:
    """The package's own method returns, or raises, what it does against the real service."""
    *_, holds = OUTCOMES[outcome]

    got = ask(client)[outcome]
    assert holds(got), got
