"""Shipped pictures that a provider reads: plates, VINs, and pictures with no text."""

from PIL import Image

from mock_server.drawing.camera import Shot
from mock_server.drawing.drawn_picture import Drawing, Truth
from mock_server.drawing.scene_drawing import Parked
from scripts.shipped_fixtures.entry import Shipped, candidates, plate, scene, vin

# A picture without text is recognised by the whole image, and fine grain would disturb that.
_SOFT = Shot(noise=0.02, blur=0.7, quality=82)


def _blank(_: int) -> Drawing:
    return Drawing(Image.new("RGB", (640, 480), (208, 210, 212)), Truth())


PLATES = (
    Shipped(
        "california-sedan",
        "A red sedan with a California plate, read with one plausible alternative",
        scene(Parked("sedan", "red", "9DJC652", "us-ca", width=0.60), place="street"),
        plate={
            "region_score": 0.849,
            "score": 0.902,
            "dscore": 0.861,
            "candidates": candidates(("9DJC652", 0.902), ("9OJC652", 0.742)),
        },
    ),
    Shipped(
        "german-suv",
        "A navy SUV with a German plate on a parking lot",
        scene(Parked("suv", "navy", "B-MW 1847", "de", x=0.47, width=0.52, yaw=0.7), place="parking"),
        plate={"score": 0.914},
    ),
    Shipped(
        "british-hatchback",
        "A silver hatchback with a yellow British rear plate in a garage",
        scene(Parked("hatchback", "silver", "LK19 VRX", "gb", x=0.53, width=0.58, yaw=-0.6), place="garage"),
        plate={"score": 0.931},
    ),
    Shipped(
        "texas-pickup",
        "A white pickup truck with a Texas plate on a country road",
        scene(Parked("pickup", "white", "KXR-4072", "us-tx", x=0.5, width=0.56, ground=0.92), place="country"),
        plate={"score": 0.887},
    ),
    Shipped(
        "ukrainian-sedan-front",
        "A grey sedan with a Ukrainian plate, seen from the front",
        scene(Parked("sedan-front", "grey", "AA 4702 KP", "ua", width=0.60, yaw=0.4), place="parking"),
        plate={"score": 0.922},
    ),
    Shipped(
        "french-suv-front",
        "A green SUV with a French plate, seen from the front",
        scene(Parked("suv-front", "green", "FG-482-TN", "fr", x=0.52, width=0.55, yaw=-0.5), place="country"),
        plate={"score": 0.918},
    ),
    Shipped(
        "dutch-van",
        "A white delivery van with a yellow Dutch plate",
        scene(Parked("van", "white", "VH-073-R", "nl", width=0.46, ground=0.93), place="street"),
        plate={"score": 0.905},
    ),
    Shipped(
        "two-cars",
        "Two cars in one photo: two plates are read, each with its own vehicle",
        scene(
            Parked("suv", "silver", "8TRV319", "us-ca", x=0.27, width=0.44, ground=0.86),
            Parked("sedan", "blue", "6HKD804", "us-ca", x=0.745, width=0.42, ground=0.84),
            place="parking",
            size=(1280, 800),
        ),
        plate={"score": 0.911},
    ),
    Shipped(
        "two-line-plate",
        "A two-line Indian plate close up",
        plate("MH 12 DE 1433", "in", "suv", "white", two_line=True),
        plate={"score": 0.893},
    ),
    Shipped(
        "brazilian-plate",
        "A Brazilian Mercosul plate close up",
        plate("RKT4B27", "br", "hatchback", "orange"),
        plate={"score": 0.926},
    ),
    Shipped(
        "new-york-plate",
        "A New York plate close up",
        plate("JRM-5819", "us-ny", "sedan", "black"),
        plate={"score": 0.934},
    ),
    Shipped(
        "ambiguous-plate",
        "A plate full of look-alikes, read with several candidates",
        plate("OB-D 8005", "de", "sedan", "beige"),
        plate={
            "score": 0.612,
            "candidates": candidates(
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
        plate("WX 7134K", "pl", "hatchback", "grey", Shot(blur=1.6, noise=0.5, quality=60)),
        plate={"score": 0.387, "dscore": 0.512, "region_score": 0.334},
    ),
    Shipped(
        "far-and-small",
        "A car far away: the plate is small but legible",
        scene(
            Parked("sedan", "burgundy", "4721 KLM", "es", x=0.56, width=0.35, ground=0.66),
            place="country",
            shot=Shot(noise=0.05, quality=90),
        ),
        plate={"score": 0.734, "dscore": 0.688},
    ),
    Shipped(
        "rotated-photo",
        "A crooked photo, turned by eight degrees",
        scene(
            Parked("hatchback", "teal", "CHD-41P", "au-nsw", width=0.52, ground=0.84),
            place="street",
            shot=Shot(rotate=8.0, quality=80),
        ),
        plate={"score": 0.861},
    ),
    Shipped(
        "night-street",
        "A sedan at night, its plate lit by its own lamp",
        scene(
            Parked("sedan", "black", "7XKM208", "us-ca", width=0.60),
            place="street",
            shot=Shot(night=0.9, noise=0.25, quality=80),
        ),
        plate={"score": 0.842},
    ),
    Shipped(
        "rainy-road",
        "An SUV on a country road in heavy rain",
        scene(
            Parked("suv", "blue", "CKWA 613", "ca-on", width=0.54, ground=0.90),
            place="country",
            shot=Shot(rain=1.0, noise=0.12, quality=80),
        ),
        plate={"score": 0.816},
    ),
    Shipped(
        "sun-glare",
        "Sun glare beside the plate's characters",
        scene(
            Parked("sedan-front", "white", "DN 318XR", "it", width=0.62),
            place="street",
            shot=Shot(glare=0.45, quality=82),
        ),
        plate={"score": 0.701, "dscore": 0.755},
    ),
)
"""Plates that a provider reads."""

VINS = (
    Shipped(
        "vin-plate",
        "A stamped VIN plate riveted to the bodywork",
        vin("JHLRD77874C026456", "plate"),
        vin={"confidence": 0.983},
    ),
    Shipped(
        "vin-dot-peened",
        "A dot-peened VIN on bright metal",
        vin("1HGCM82633A004352", "pricked"),
        vin={"confidence": 0.941},
    ),
    Shipped(
        "vin-sticker",
        "The certification sticker of a door jamb, with VIN and bar code",
        vin("5YJ3E1EA2KF317000", "sticker", size=(896, 560)),
        vin={"confidence": 0.991},
    ),
    Shipped(
        "vin-dashboard",
        "The VIN on the dashboard, seen through the windscreen",
        vin("1FTFW1ET9DFC10312", "dashboard"),
        vin={
            "confidence": 0.892,
            "candidates": candidates(("1FTFW1ET9DFC10312", 0.892), ("1FTFW1ET9DFC18312", 0.511), score="confidence"),
        },
    ),
    Shipped("not-a-vin", "Text, but no VIN: the label of a fuel flap", vin("UNLEADED FUEL ONLY", "label")),
)
"""VINs, and one label whose text is not a VIN."""

NOTHING = (
    Shipped(
        "no-plate",
        "A car without a plate: nothing is found",
        scene(Parked("hatchback", "red", None, width=0.56), place="parking", shot=_SOFT),
        then=[{"outcome": "nothing_found"}],
    ),
    Shipped(
        "no-text",
        "An empty country road: there is no text to read",
        scene(place="country", shot=_SOFT),
        then=[{"outcome": "no_text"}],
    ),
    Shipped(
        "empty-garage",
        "An empty garage: no plate, answered with an empty list of results",
        scene(place="garage", shot=_SOFT),
        then=[{"outcome": "nothing_found", "variant": "empty_results"}],
    ),
    Shipped("blank", "A blank picture: nothing is found, ever", _blank, then=[{"outcome": "nothing_found"}]),
)
"""Pictures in which a provider finds nothing."""

RIMS = (
    Shipped(
        "rim-box-florida",
        "A Florida plate close up, with the box around the whole plate",
        plate("QGF M26", "us-fl", "sedan", "blue"),
        plate={"score": 0.921},
        at_rim=True,
    ),
    Shipped(
        "rim-box-illinois",
        "A pickup truck with an Illinois plate, with the box around the whole plate",
        scene(Parked("pickup", "red", "BL 31579", "us-il", width=0.62, yaw=-0.5, ground=0.92), place="parking"),
        plate={"score": 0.874},
        at_rim=True,
    ),
    Shipped(
        "rim-box-australia",
        "An SUV with a plate of New South Wales, with the box around the whole plate",
        scene(Parked("suv", "green", "HGM-27E", "au-nsw", x=0.49, width=0.60, yaw=0.4), place="garage"),
        plate={"score": 0.883},
        at_rim=True,
    ),
    Shipped(
        "rim-box-portugal",
        "A Portuguese plate close up, with the box around the whole plate",
        plate("VC-77-CQ", "pt", "hatchback", "silver"),
        plate={"score": 0.917},
        at_rim=True,
    ),
)
"""Plates whose boxes are at the rim, as many detectors and data sets have them."""
