"""Repeatable identifiers."""

import subprocess
import sys

from mock_server.identifiers.generator import IdentifierGenerator
from mock_server.identifiers.plates import GRAMMARS

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
    """Users' tests hold on to these: the texts of a seed are a promise."""
    generator = IdentifierGenerator(20261122)

    assert {region: generator.plate(region) for region in GRAMMARS} == PLATES
    assert [IdentifierGenerator(seed).vin() for seed in (7, 8)] == ["JHLHD60NX4J050400", "2HGFZ17B24F926444"]


def test_another_process_gives_the_same_texts() -> None:
    """Nothing hangs on hash seeds, on what was drawn before, or on Faker's shared random numbers."""
    code = (
        "import faker, random; faker.Faker.seed(1); random.seed(5)\n"
        "from mock_server.identifiers.generator import IdentifierGenerator as G\n"
        "other = G(1); other.vin(); one = G(7); other.plate('de'); print(one.vin())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "JHLHD60NX4J050400"


def test_common_regions_come_often() -> None:
    """Every region comes up; California more often than Portugal."""
    generator = IdentifierGenerator(4)
    regions = [generator.region() for _ in range(3000)]

    assert set(regions) == set(GRAMMARS)
    assert regions.count("us-ca") > 3 * regions.count("pt")
