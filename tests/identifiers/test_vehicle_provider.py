"""Repeatable identifiers, and the provider for Faker."""

import subprocess
import sys
from typing import Any

import pytest
from faker import Faker

from mock_server.identifiers.plates import PLATE_FORMATS
from mock_server.identifiers.vehicle_provider import SeededVehicleProvider, VehicleProvider
from mock_server.identifiers.vins import is_valid

PLATES = {
    "us-ca": "5RSA681",
    "us-ny": "MRG-5975",
    "us-tx": "JXK-5364",
    "us-fl": "QGF M26",
    "us-il": "BL 31579",
    "ca-on": "CNCK 520",
    "gb": "GD24 OJV",
    "de": "TR-KL 2207",
    "fr": "EM-284-FD",
    "it": "ED 460RK",
    "es": "2032 PGS",
    "nl": "P-766-XK",
    "ua": "KA 4390 MM",
    "pl": "WA 294GN",
    "br": "VZP0O59",
    "in": "WB 02 HZ 0408",
    "au-nsw": "HGM-27E",
    "se": "JPT 357",
    "be": "2-GYL-142",
    "ch": "ZG 89930",
    "pt": "VC-77-CQ",
}


def test_a_seed_always_gives_the_same_texts() -> None:
    """Users' tests depend on these texts, so they never change."""
    generator = SeededVehicleProvider(20261122)

    assert {region: generator.license_plate(region) for region in PLATE_FORMATS} == PLATES
    assert [SeededVehicleProvider(seed).vin() for seed in (7, 8)] == ["JHLHD60NX4J050400", "2HGFZ17B24F926444"]


def test_another_process_gives_the_same_texts() -> None:
    """Texts depend on no hash seed, no other generator and no shared random numbers of Faker."""
    code = (
        "import faker, random; faker.Faker.seed(1); random.seed(5)\n"
        "from mock_server.identifiers.vehicle_provider import SeededVehicleProvider as G\n"
        "other = G(1); other.vin(); one = G(7); other.license_plate('de'); print(one.vin())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "JHLHD60NX4J050400"


def test_common_regions_are_frequent() -> None:
    """Every region occurs, California more often than Portugal."""
    generator = SeededVehicleProvider(4)
    regions = [generator.license_plate_region() for _ in range(3000)]

    assert set(regions) == set(PLATE_FORMATS)
    assert regions.count("us-ca") > 3 * regions.count("pt")


@pytest.fixture
def fake() -> Any:
    """A user's own Faker with the provider added. Faker's type stubs know only its own `license_plate()`."""
    fake = Faker()
    fake.add_provider(VehicleProvider)
    fake.seed_instance(20261122)
    return fake


def test_the_provider_works_in_a_user_s_faker(fake: Any) -> None:
    """Faker's seed decides the values, and they are those of the generator with the same seed."""
    plates = {region: fake.license_plate(region) for region in PLATE_FORMATS}
    fake.seed_instance(7)

    assert plates == PLATES
    assert fake.vin() == "JHLHD60NX4J050400"


def test_the_provider_chooses_a_region(fake: Any) -> None:
    """Without a region, a plate has the format of some region; every VIN is valid."""
    plates = [fake.license_plate() for _ in range(50)]

    assert all(any(known.matches(plate) for known in PLATE_FORMATS.values()) for plate in plates)
    assert {fake.license_plate_region() for _ in range(50)} <= set(PLATE_FORMATS)
    assert all(is_valid(fake.vin()) for _ in range(50))


def test_the_provider_refuses_an_unknown_region(fake: Any) -> None:
    """There is no made-up format for an unknown region."""
    with pytest.raises(KeyError, match="us-zz"):
        fake.license_plate("us-zz")
