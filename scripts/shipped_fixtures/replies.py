"""Shipped pictures whose replies lack fields, or are not the provider's."""

from scripts.shipped_fixtures.entry import Shipped, plate, vin

_GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)

REPLIES = (
    Shipped(
        "sparse-plate",
        "A plate answered with as few fields as the newer example of CarsXE has",
        plate("8KXR294", "us-ca", "sedan", "white"),
        then=[{"outcome": "read", "omit": ["results.box.ymax", "camera_id", "filename"]}],
        plate={"region_score": 0.849, "score": "none", "dscore": "none", "candidates": "none", "vehicle": "none"},
    ),
    Shipped(
        "sparse-vin",
        "A VIN whose candidates have no box, as in the newer example of CarsXE",
        vin("1HGCM82633A004352", "sticker"),
        vin={
            "confidence": 0.98,
            "candidates": [
                {"text": text, "confidence": score, "box": "none"}
                for text, score in (("1HGCM82633A004352", 0.98), ("1HGCM82633A0043S2", 0.412))
            ],
        },
    ),
    Shipped(
        "gateway-error",
        "A gateway answers instead of the provider: 502 with an HTML page",
        plate("PJ-73-RT", "pt", "hatchback", "red"),
        then=[{"reply": {"status": 502, "headers": {"Content-Type": "text/html"}, "body": _GATEWAY_PAGE}}],
    ),
)
"""One picture for each way in which a reply differs from the full documented one."""
