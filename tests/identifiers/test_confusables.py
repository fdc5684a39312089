"""Characters that OCR confuses with each other."""

import pytest

from mock_server.identifiers.confusables import LOOK_ALIKES, alternatives, confuse, look_alikes
from mock_server.identifiers.vins import ALPHABET


@pytest.mark.parametrize("pair", ["0O", "1I", "8B", "5S", "2Z", "0D", "6G"])
def test_look_alikes_go_both_ways(pair: str) -> None:
    """Similarity is symmetric."""
    first, second = pair[0], pair[1]

    assert dict(look_alikes(first))[second] == dict(look_alikes(second))[first]


def test_the_most_similar_comes_first() -> None:
    """Similar characters and misreadings are sorted by their likeness."""
    assert all(
        list(others) == sorted(others, key=lambda other: (-other[1], other[0])) for others in LOOK_ALIKES.values()
    )
    likenesses = [reading.likeness for reading in alternatives("9DJC652", 10)]
    assert likenesses == sorted(likenesses, reverse=True)


def test_misreadings_of_a_plate() -> None:
    """One mistake is more likely than two; the text itself is not included; separators stay."""
    found = [reading.text for reading in alternatives("B-O 12", 5)]

    assert found[0] == "B-0 12"
    assert "B-O 12" not in found
    assert all(text[1] == "-" and text[3] == " " for text in found)


def test_misreadings_stay_in_the_alphabet() -> None:
    """The misreading of a VIN never has I, O or Q."""
    found = alternatives("1HGCM82633A004352", 50, allowed=ALPHABET)

    assert len(found) == 50
    assert all(set(reading.text) <= set(ALPHABET) for reading in found)


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [("8BC", 1, "BBC"), ("AB0", 1, "ABO"), ("ab0", 2, "a8O"), ("---", 3, "---"), ("O", 5, "0"), ("XYZ", 0, "XYZ")],
)
def test_confuse_replaces_the_most_similar_characters(text: str, count: int, expected: str) -> None:
    """It replaces `count` characters if the text has as many, and keeps their case."""
    assert confuse(text, count) == expected
