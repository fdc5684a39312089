"""Shipped pictures that fail: the provider answers with an error, or misreads the picture."""

from collections.abc import Callable

from mock_server.drawing.camera import Shot
from mock_server.drawing.drawn_picture import Drawing
from mock_server.drawing.scene_drawing import Parked
from scripts.shipped_fixtures.entry import Shipped, plate, scene, vin


def _error(outcome: str, description: str, draw: Callable[[int], Drawing]) -> Shipped:
    return Shipped(outcome.replace("_", "-"), description, draw, then=[{"outcome": outcome}])


ERRORS = (
    Shipped(
        "flaky-then-fine",
        "Recognition fails twice and then works, with a lifelike delay",
        scene(Parked("suv", "orange", "7XYZ123", "us-ca", x=0.46, width=0.54, yaw=0.5), place="street"),
        when={"provider": "carsxe", "product": "plate"},
        then=[
            {"outcome": "service_error", "times": 2},
            {"outcome": "read", "delay": {"lognormal": {"median": "120ms", "sigma": 0.4}}},
        ],
    ),
    _error("service_error", "This picture makes recognition itself fail", plate("RNB-2046", "us-tx", "pickup", "blue")),
    _error(
        "upstream_unreachable",
        "The provider cannot reach the service behind it",
        plate("GH-571-KL", "fr", "hatchback", "teal"),
    ),
    _error("upstream_down", "The provider's own connection is down", plate("BD21 SMR", "gb", "suv", "burgundy")),
    _error(
        "upstream_timeout", "The service behind the provider takes too long", plate("5806 FTX", "es", "sedan", "silver")
    ),
    _error("rate_limited", "Too many requests, whatever the account says", plate("XB-482-T", "nl", "van", "white")),
    _error(
        "out_of_credits",
        "This picture answers as an exhausted account would",
        plate("AH 6215 IO", "ua", "sedan-front", "navy"),
    ),
    _error(
        "plan_excluded",
        "This picture answers as an account without this product would",
        plate("QPM3D81", "br", "suv-front", "beige"),
    ),
    _error(
        "inactive_account",
        "This picture answers as an inactive account would",
        plate("EK 407ZN", "it", "hatchback", "green"),
    ),
    _error("blocked_key", "This picture answers as a blocked key would", plate("GD 3L927", "pl", "suv", "orange")),
    _error(
        "invalid_image",
        "A proper picture that the provider refuses as invalid",
        plate("CRZB 240", "ca-on", "sedan", "grey"),
    ),
)
"""One picture for each error that a provider can return for a picture."""

TROUBLE = (
    Shipped(
        "trouble-unsure",
        "Each reading comes with other, low scores",
        plate("HLV-86T", "au-nsw", "sedan", "white"),
        then=[{"outcome": "read", "trouble": {"score": [0.3, 0.6]}}],
    ),
    Shipped(
        "trouble-confused",
        "Two characters are taken for their look-alikes",
        plate("HH-BS 5081", "de", "van", "white"),
        then=[{"outcome": "read", "trouble": {"confuse": 2}}],
    ),
    Shipped(
        "trouble-wrong-region",
        "A Swedish plate is taken for a Polish one",
        plate("KOT 39B", "se", "hatchback", "blue"),
        then=[{"outcome": "read", "trouble": {"region": "pl"}}],
    ),
    Shipped(
        "trouble-bad-check-digit",
        "The VIN comes back with a wrong check digit",
        vin("WBA3A5C53CF256985", "plate"),
        then=[{"outcome": "read", "trouble": {"bad_check_digit": True}}],
    ),
    Shipped(
        "trouble-partial",
        "Only the first four characters are read",
        plate("LX62 HKW", "gb", "sedan", "burgundy"),
        then=[{"outcome": "read", "trouble": {"partial": 4}}],
    ),
    Shipped(
        "trouble-unreadable",
        "The plate is found but its text is not",
        plate("EJ-219-PB", "fr", "suv", "black", Shot(motion=9)),
        then=[{"outcome": "read", "trouble": {"unreadable": True}}],
    ),
    Shipped(
        "trouble-too-small",
        "Sent narrower than 400 pixels, this picture yields nothing",
        plate("2-BKT-614", "be", "sedan", "navy"),
        then=[{"outcome": "read", "trouble": {"too_small": 400}}],
    ),
    Shipped(
        "trouble-too-blurred",
        "Sent out of focus, this picture yields nothing",
        plate("ZH 482917", "ch", "hatchback", "white"),
        then=[{"outcome": "read", "trouble": {"too_blurred": 60}}],
    ),
)
"""One picture for each kind of misreading."""
