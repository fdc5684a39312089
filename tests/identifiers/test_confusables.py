"""Characters that recognisers take for one another."""

import pytest

from mock_server.identifiers.confusables import LOOK_ALIKES, alternatives, confuse, look_alikes
from mock_server.identifiers.vins import ALPHABET


@pytest.mark.parametrize("pair", ["0O", "1I", "8B", "5S", "2Z", "0D", "6G"])
def test_look_alikes_go_both_ways(pair: str) -> None:
    """Where one is taken for the other, the other is taken for the one, as easily."""
    first, second = pair[0], pair[1]

    assert dict(look_alikes(first))[second] == dict(look_alikes(second))[first]


def test_the_likest_comes_first() -> None:
    """Look-alikes and misreadings are ordered by their likeness."""
    assert all(
        list(others) == sorted(others, key=lambda other: (-other[1], other[0]))
        for others in LOOK_ALIKES.values()
    )
    likenesses = [reading.likeness for reading in alternatives("9DJC652", 10)]
    assert likenesses == sorted(likenesses, reverse=True)


def test_misreadings_of_a_plate() -> None:
    """One mistake is likelier than two; the text itself is no misreading; separators stay."""
    found = [reading.text for reading in alternatives("B-O 12", 5)]

    assert found[0] == "B-0 12"
    assert "B-O 12" not in found
    assert all(text[1] == "-" and text[3] == " " for text in found)


def test_misreadings_stay_in_the_alphabet() -> None:
    """A VIN is never misread as something with I, O or Q."""
    found = alternatives("1HGCM82633A004352", 50, allowed=ALPHABET)

    assert len(found) == 50
    assert all(set(reading.text) <= set(ALPHABET) for reading in found)


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("8BC", 1, "BBC"),
        ("AB0", 1, "ABO"),
        ("ab0", 2, "a8O"),
        ("---", 3, "---"),
        ("O", 5, "0"),
        ("XYZ", 0, "XYZ"),
    ],
)
def test_confusing_replaces_the_most_mistakable(text: str, count: int, expected: str) -> None:
    """As many characters as asked, where there are as many; case is kept."""
    assert confuse(text, count) == expected
