"""Licence plate formats."""

import pytest

from mock_server.identifiers.plates import PLATE_FORMATS, compact, regions_of
from mock_server.identifiers.vehicle_provider import SeededVehicleProvider


@pytest.mark.parametrize("region", PLATE_FORMATS)
def test_composed_plates_have_their_region_s_format(region: str) -> None:
    """A format matches its own plates, also without separators and in lower case."""
    generator = SeededVehicleProvider(1)
    texts = [generator.license_plate(region) for _ in range(200)]

    assert all(region in regions_of(text) for text in texts)
    assert all(PLATE_FORMATS[region].matches(compact(text).lower()) for text in texts)
    assert len(set(texts)) > 190


@pytest.mark.parametrize(
    ("region", "text"),
    [
        ("us-ca", "9DJC652"),
        ("us-ny", "KXR-4072"),
        ("us-tx", "BBC-1234"),
        ("us-il", "AB 12345"),
        ("ca-on", "CKWA 613"),
        ("gb", "LK19 VRX"),
        ("de", "B-MW 1847"),
        ("de", "HRO-EW 99"),
        ("fr", "AB-123-CD"),
        ("it", "AB 123CD"),
        ("es", "1234 BCD"),
        ("nl", "GB-001-B"),
        ("ua", "AA 1234 BC"),
        ("pl", "WI 027HJ"),
        ("br", "BRA2E19"),
        ("in", "MH 12 DE 1433"),
        ("au-nsw", "CHD-41P"),
    ],
)
def test_real_plates_are_recognised(region: str, text: str) -> None:
    """Real plates have the format of their region."""
    assert PLATE_FORMATS[region].matches(text)


@pytest.mark.parametrize(
    ("region", "text"),
    [
        ("us-ca", "0DJC652"),
        ("us-ca", "9DIC652"),
        ("us-tx", "ABC-1234"),
        ("es", "1234 ABC"),
        ("gb", "LK27 VRX"),
        ("gb", "LK19 VIX"),
        ("de", "ZZZ-A 1"),
        ("fr", "AB-123-OI"),
        ("ua", "AA 1234 ZZ"),
        ("br", "BRA2219"),
    ],
)
def test_letters_that_are_never_issued_do_not_match(region: str, text: str) -> None:
    """Codes and alphabets of a region matter, not only the pattern of letters and digits."""
    assert not PLATE_FORMATS[region].matches(text)


def test_forbidden_pairs_are_never_composed() -> None:
    """France never issues SS, Germany never -SS."""
    generator = SeededVehicleProvider(2)

    assert not any("SS" in generator.license_plate("fr") for _ in range(3000))
    assert not any("-SS " in generator.license_plate("de") for _ in range(3000))


def test_an_unknown_region_is_an_error() -> None:
    """A region without a format raises KeyError."""
    with pytest.raises(KeyError):
        SeededVehicleProvider(1).license_plate("us-zz")
