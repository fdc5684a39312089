"""The fixture set that ships with the package, drawn anew: `python -m mock_server.imaging.synth.shipped OUT`."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from mock_server.imaging.synth.camera import Shot
from mock_server.imaging.synth.drawing import Drawing, draw_plate, draw_scene, draw_vin
from mock_server.imaging.synth.scenario_file import Value, scenario_yaml
from mock_server.imaging.synth.scenes import Parked
from mock_server.imaging.synth.truth import Truth

_SCENE = (960, 720)
_CROP = (560, 320)


@dataclass(frozen=True, slots=True)
class Shipped:
    """One shipped scenario: its name, a sentence for those who browse, its picture, and what else its file says."""

    name: str
    description: str
    draw: Callable[[int], Drawing]
    when: Mapping[str, Value] = field(default_factory=dict)
    then: Sequence[Mapping[str, Value]] = ()
    plate: Mapping[str, Value] = field(default_factory=dict)
    vin: Mapping[str, Value] = field(default_factory=dict)


def _scene(*cars: Parked, place: str = "street", shot: Shot | None = None) -> Callable[[int], Drawing]:
    return lambda seed: draw_scene(cars, place=place, size=_SCENE, seed=seed, shot=shot)


def _plate(
    text: str, region: str, body: str, paint: str, shot: Shot | None = None, **more: float | bool
) -> Callable[[int], Drawing]:
    car = Parked(
        body, paint, text, region, yaw=float(more.get("yaw", 0.0)), two_line=bool(more.get("two_line", False))
    )
    return lambda seed: draw_plate(car, size=_CROP, seed=seed, shot=shot)


def _vin(
    text: str, style: str, shot: Shot | None = None, size: tuple[int, int] = (896, 504)
) -> Callable[[int], Drawing]:
    return lambda seed: draw_vin(text, style=style, size=size, seed=seed, shot=shot)


def _blank(_: int) -> Drawing:
    return Drawing(Image.new("RGB", (640, 480), (208, 210, 212)), Truth())


def _candidates(*readings: tuple[str, float], score: str = "score") -> list[Value]:
    return [{"text": text, score: value} for text, value in readings]


PLATES = (
    Shipped(
        "california-sedan",
        "A red sedan with a California plate, read with one plausible alternative",
        _scene(Parked("sedan", "red", "9DJC652", "us-ca", width=0.60), place="street"),
        plate={
            "region_score": 0.849,
            "score": 0.902,
            "dscore": 0.861,
            "candidates": _candidates(("9DJC652", 0.902), ("9OJC652", 0.742)),
        },
    ),
    Shipped(
        "german-suv",
        "A navy SUV with a German plate on a parking lot",
        _scene(Parked("suv", "navy", "B-MW 1847", "de", x=0.47, width=0.52, yaw=0.7), place="parking"),
        plate={"score": 0.914},
    ),
    Shipped(
        "british-hatchback",
        "A silver hatchback with a yellow British rear plate in a garage",
        _scene(Parked("hatchback", "silver", "LK19 VRX", "gb", x=0.53, width=0.58, yaw=-0.6), place="garage"),
        plate={"score": 0.931},
    ),
    Shipped(
        "texas-pickup",
        "A white pickup truck with a Texas plate on a country road",
        _scene(
            Parked("pickup", "white", "KXR-4072", "us-tx", x=0.5, width=0.56, ground=0.92), place="country"
        ),
        plate={"score": 0.887},
    ),
    Shipped(
        "ukrainian-sedan-front",
        "A grey sedan with a Ukrainian plate, seen from the front",
        _scene(Parked("sedan-front", "grey", "AA 4702 KP", "ua", width=0.60, yaw=0.4), place="parking"),
        plate={"score": 0.922},
    ),
    Shipped(
        "french-suv-front",
        "A green SUV with a French plate, seen from the front",
        _scene(
            Parked("suv-front", "green", "FG-482-TN", "fr", x=0.52, width=0.55, yaw=-0.5), place="country"
        ),
        plate={"score": 0.918},
    ),
    Shipped(
        "dutch-van",
        "A white delivery van with a yellow Dutch plate",
        _scene(Parked("van", "white", "VH-073-R", "nl", width=0.46, ground=0.93), place="street"),
        plate={"score": 0.905},
    ),
    Shipped(
        "two-cars",
        "Two cars in one photo: two plates are read, each with its own vehicle",
        _scene(
            Parked("suv", "silver", "8TRV319", "us-ca", x=0.27, width=0.44, ground=0.86),
            Parked("sedan", "blue", "6HKD804", "us-ca", x=0.745, width=0.42, ground=0.84),
            place="parking",
        ),
        plate={"score": 0.911},
    ),
    Shipped(
        "two-line-plate",
        "A two-line Indian plate close up",
        _plate("MH 12 DE 1433", "in", "suv", "white", two_line=True),
        plate={"score": 0.893},
    ),
    Shipped(
        "brazilian-plate",
        "A Brazilian Mercosul plate close up",
        _plate("RKT4B27", "br", "hatchback", "orange"),
        plate={"score": 0.926},
    ),
    Shipped(
        "new-york-plate",
        "A New York plate close up",
        _plate("JRM-5819", "us-ny", "sedan", "black"),
        plate={"score": 0.934},
    ),
    Shipped(
        "ambiguous-plate",
        "A plate full of look-alikes: eight candidates' worth of 0, O, D, 8 and B",
        _plate("OB-D 8005", "de", "sedan", "beige"),
        plate={
            "score": 0.612,
            "candidates": _candidates(
                ("OB-D 8005", 0.612),
                ("OB-O 8005", 0.588),
                ("0B-D 8005", 0.541),
                ("OB-D 80O5", 0.502),
                ("O8-D 8005", 0.447),
            ),
        },
    ),
    Shipped(
        "low-confidence",
        "A dirty, blurred plate that is read with little confidence",
        _plate("WX 7134K", "pl", "hatchback", "grey", Shot(blur=1.6, noise=0.5, quality=60)),
        plate={"score": 0.387, "dscore": 0.512, "region_score": 0.334},
    ),
    Shipped(
        "far-and-small",
        "A car far away: the plate is small but legible",
        _scene(
            Parked("sedan", "burgundy", "4721 KLM", "es", x=0.56, width=0.30, ground=0.64),
            place="country",
            shot=Shot(noise=0.05, quality=92),
        ),
        plate={"score": 0.734, "dscore": 0.688},
    ),
    Shipped(
        "rotated-photo",
        "A crooked photo, turned by eight degrees",
        _scene(
            Parked("hatchback", "teal", "CHD-41P", "au-nsw", width=0.52, ground=0.84),
            place="street",
            shot=Shot(rotate=8.0),
        ),
        plate={"score": 0.861},
    ),
    Shipped(
        "night-street",
        "A sedan at night, its plate lit by its own lamp",
        _scene(
            Parked("sedan", "black", "7XKM208", "us-ca", width=0.60),
            place="street",
            shot=Shot(night=0.9, noise=0.35),
        ),
        plate={"score": 0.842},
    ),
    Shipped(
        "rainy-road",
        "An SUV in heavy rain",
        _scene(
            Parked("suv", "blue", "CKWA 613", "ca-on", width=0.54, ground=0.90),
            place="country",
            shot=Shot(rain=1.0, noise=0.2),
        ),
        plate={"score": 0.816},
    ),
    Shipped(
        "sun-glare",
        "Sun glare beside the plate's characters",
        _scene(
            Parked("sedan-front", "white", "DN 318XR", "it", width=0.62), place="street", shot=Shot(glare=0.5)
        ),
        plate={"score": 0.701, "dscore": 0.755},
    ),
)
"""Plates that are read."""

VINS = (
    Shipped(
        "vin-plate",
        "A stamped VIN plate riveted to the bodywork",
        _vin("JHLRD77874C026456", "plate"),
        vin={"confidence": 0.983},
    ),
    Shipped(
        "vin-dot-peened",
        "A dot-peened VIN on bright metal",
        _vin("1HGCM82633A004352", "pricked"),
        vin={"confidence": 0.941},
    ),
    Shipped(
        "vin-sticker",
        "The certification sticker of a door jamb, with VIN and bar code",
        _vin("5YJ3E1EA2KF317000", "sticker", size=(896, 560)),
        vin={"confidence": 0.991},
    ),
    Shipped(
        "vin-dashboard",
        "The VIN on the dashboard, seen through the windscreen",
        _vin("1FTFW1ET9DFC10312", "dashboard"),
        vin={
            "confidence": 0.892,
            "candidates": _candidates(
                ("1FTFW1ET9DFC10312", 0.892), ("1FTFW1ET9DFC18312", 0.511), score="confidence"
            ),
        },
    ),
    Shipped("not-a-vin", "Text, but no VIN: the label of a fuel flap", _vin("UNLEADED FUEL ONLY", "label")),
)
"""Vehicle identification numbers, and text that is none."""

NOTHING = (
    Shipped(
        "no-plate",
        "A car without a plate: nothing is found",
        _scene(Parked("hatchback", "red", None, width=0.56), place="parking"),
        then=[{"outcome": "nothing_found"}],
    ),
    Shipped(
        "no-text",
        "An empty country road: there is no text to read",
        _scene(place="country"),
        then=[{"outcome": "no_text"}],
    ),
    Shipped(
        "empty-garage",
        "An empty garage: no plate, answered with an empty list of results",
        _scene(place="garage"),
        then=[{"outcome": "nothing_found", "variant": "empty_results"}],
    ),
    Shipped("blank", "A blank picture: nothing is found, ever", _blank, then=[{"outcome": "nothing_found"}]),
)
"""Pictures in which nothing is found."""


def _error(outcome: str, description: str, draw: Callable[[int], Drawing]) -> Shipped:
    return Shipped(outcome.replace("_", "-"), description, draw, then=[{"outcome": outcome}])


ERRORS = (
    Shipped(
        "flaky-then-fine",
        "Recognition fails twice and then works, with a lifelike delay",
        _scene(Parked("suv", "orange", "7XYZ123", "us-ca", x=0.46, width=0.54, yaw=0.5), place="street"),
        when={"provider": "carsxe", "product": "plate"},
        then=[
            {"outcome": "service_error", "times": 2},
            {"outcome": "read", "delay": {"lognormal": {"median": "120ms", "sigma": 0.4}}},
        ],
    ),
    _error(
        "service_error",
        "This picture makes recognition itself fail",
        _plate("RNB-2046", "us-tx", "pickup", "blue"),
    ),
    _error(
        "upstream_unreachable",
        "The provider cannot reach the service behind it",
        _plate("GH-571-KL", "fr", "hatchback", "teal"),
    ),
    _error(
        "upstream_down", "The provider's own connection is down", _plate("BD21 SMR", "gb", "suv", "burgundy")
    ),
    _error(
        "upstream_timeout",
        "The service behind the provider takes too long",
        _plate("5806 FTX", "es", "sedan", "silver"),
    ),
    _error(
        "rate_limited",
        "Too many requests, whatever the account says",
        _plate("XB-482-T", "nl", "van", "white"),
    ),
    _error(
        "out_of_credits",
        "This picture answers as an exhausted account would",
        _plate("AH 6215 IO", "ua", "sedan-front", "navy"),
    ),
    _error(
        "plan_excluded",
        "This picture answers as an account without this product would",
        _plate("QPM3D81", "br", "suv-front", "beige"),
    ),
    _error(
        "inactive_account",
        "This picture answers as an inactive account would",
        _plate("EK 407ZN", "it", "hatchback", "green"),
    ),
    _error(
        "blocked_key",
        "This picture answers as a blocked key would",
        _plate("GD 3L927", "pl", "suv", "orange"),
    ),
    _error(
        "invalid_image",
        "A proper picture that the provider refuses as invalid",
        _plate("CRZB 240", "ca-on", "sedan", "grey"),
    ),
)
"""Failures: one picture for each way in which a provider can refuse or break."""

TROUBLE = (
    Shipped(
        "trouble-unsure",
        "Each reading comes with other, low scores",
        _plate("HLV-86T", "au-nsw", "sedan", "white"),
        then=[{"outcome": "read", "trouble": {"score": [0.3, 0.6]}}],
    ),
    Shipped(
        "trouble-confused",
        "Two characters are taken for their look-alikes",
        _plate("HH-BS 5081", "de", "van", "white"),
        then=[{"outcome": "read", "trouble": {"confuse": 2}}],
    ),
    Shipped(
        "trouble-wrong-region",
        "A Swedish plate is taken for a Polish one",
        _plate("KOT 39B", "se", "hatchback", "blue"),
        then=[{"outcome": "read", "trouble": {"region": "pl"}}],
    ),
    Shipped(
        "trouble-bad-check-digit",
        "The VIN comes back with a wrong check digit",
        _vin("WBA3A5C53CF256985", "plate"),
        then=[{"outcome": "read", "trouble": {"bad_check_digit": True}}],
    ),
    Shipped(
        "trouble-partial",
        "Only the first four characters are read",
        _plate("LX62 HKW", "gb", "sedan", "burgundy"),
        then=[{"outcome": "read", "trouble": {"partial": 4}}],
    ),
    Shipped(
        "trouble-unreadable",
        "The plate is found but its text is not",
        _plate("EJ-219-PB", "fr", "suv", "black", Shot(motion=9)),
        then=[{"outcome": "read", "trouble": {"unreadable": True}}],
    ),
    Shipped(
        "trouble-too-small",
        "Sent narrower than 400 pixels, this picture yields nothing",
        _plate("2-BKT-614", "be", "sedan", "navy"),
        then=[{"outcome": "read", "trouble": {"too_small": 400}}],
    ),
    Shipped(
        "trouble-too-blurred",
        "Sent out of focus, this picture yields nothing",
        _plate("ZH 482917", "ch", "hatchback", "white"),
        then=[{"outcome": "read", "trouble": {"too_blurred": 60}}],
    ),
)
"""What goes wrong in recognition itself."""

EVERYTHING = (*PLATES, *VINS, *NOTHING, *ERRORS, *TROUBLE)

MOCK_YAML = """\
# Accounts and defaults of the shipped fixture set. Every key can be used as it stands here.
accounts:
  - {name: demo, key: demo-key, credits: {plate: 1000000, vin: 1000000}, quota: {plate: 1000000, vin: 1000000}}
  - name: no-credits
    key: no-credits
    credits: {plate: 0, vin: 0}
    quota: {plate: {limit: 1000, used: 1000}, vin: {limit: 1000, used: 1000}}
  - {name: one-credit, key: one-credit, credits: {plate: 1, vin: 1}, quota: {plate: 1, vin: 1}}
  - {name: inactive, key: inactive-key, status: inactive}
  - {name: disabled, key: disabled-key, status: disabled}
  - {name: blocked, key: blocked-key, status: blocked}
  - {name: basic-plan, key: basic-plan-key, plans: [], tier: basic}
  - {name: slow, key: slow-key, rate_limit: 2/second}

# A picture that no scenario knows is answered with a believable reading made from its own bytes.
unmatched: synthesize
"""


def write(out: Path, only: Sequence[str] = ()) -> list[Path]:
    """Draw the set (or the scenarios named) into `out`, which is made where missing; returns the files written."""
    for folder in ("images", "scenarios"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    written = [out / "mock.yaml"]
    written[0].write_text(MOCK_YAML, encoding="utf-8")
    for seed, shipped in enumerate(EVERYTHING, start=1):
        if only and shipped.name not in only:
            continue
        drawing = shipped.draw(seed)
        image = out / "images" / f"{shipped.name}.jpg"
        image.write_bytes(drawing.encoded())
        text = scenario_yaml(
            shipped.name,
            f"../images/{image.name}",
            drawing.truth,
            description=shipped.description,
            when=shipped.when,
            then=shipped.then,
            plate=shipped.plate,
            vin=shipped.vin,
        )
        scenario = out / "scenarios" / f"{shipped.name}.yaml"
        scenario.write_text(text, encoding="utf-8")
        written += [image, scenario]
    return written


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "fixtures"), sys.argv[2:])
