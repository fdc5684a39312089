"""The scenario that matches a request, and the conditions that fail."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.core.conditions import Conditions, ImageProperties, Query, compared_conditions, specificity
from mock_server.core.matching import Scenarios
from mock_server.core.model import MatchKind, Product, ReadRequest
from mock_server.core.scenario import Scenario
from mock_server.core.scenario_precedence import Match
from mock_server.imaging.geometry import Placement
from mock_server.imaging.results import ImageMatch, MatchMethod, PictureFacts, SearchResult
from tests.scenarios.test_shadowing import ACCOUNTS, asked_by, requests, sets

REQUEST = ReadRequest(
    "acme",
    Product.PLATE,
    "key-1",
    filename="Front-01.jpg",
    url="https://cdn.test/a/b.jpg",
    language="uk",
    headers={"x-lane": "north-3"},
)
FACTS = PictureFacts("JPEG", 640, 480, 10_000, "ab" * 32, blank=False, sharpness=100.0)


def asked(*found: tuple[str, MatchMethod], request: ReadRequest = REQUEST, facts: PictureFacts = FACTS) -> Query:
    """A query with the result of the picture search."""
    hits = tuple(ImageMatch(id, stage, -3.0, -2.0, Placement((640, 480), (640, 480))) for id, stage in found)
    return Query(request, "demo", SearchResult(facts, hits, ()))


def _condition(**when: object) -> Conditions:
    return Conditions(**when)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("when", "failed"),
    [
        ({}, []),
        ({"url": "https://cdn.test/*"}, []),
        ({"url": "https://CDN.test/*"}, ["url"]),
        ({"filename": "Front-0?.jpg"}, []),
        ({"filename": "front*"}, ["filename"]),
        ({"key": "key-1", "account": "demo"}, []),
        ({"key": "key-2", "account": "other"}, ["key", "account"]),
        ({"provider": "acme", "product": Product.PLATE}, []),
        ({"provider": "other", "product": Product.VIN}, ["provider", "product"]),
        ({"language": "UK"}, []),
        ({"language": "en"}, ["language"]),
        ({"header": {"X-Lane": "north-*"}}, []),
        ({"header": {"X-Lane": "south-*", "X-Other": "*"}}, ["header X-Lane", "header X-Other"]),
        ({"sha256": "ab" * 32}, []),
        ({"sha256": "cd" * 32}, ["sha256"]),
        ({"properties": ImageProperties(format="jpeg", min_width=640, max_height=480)}, []),
        ({"properties": ImageProperties(format="PNG", min_width=641)}, ["properties.format", "properties.min_width"]),
        (
            {"properties": ImageProperties(max_width=639, min_height=481)},
            ["properties.max_width", "properties.min_height"],
        ),
        (
            {"properties": ImageProperties(max_height=479, min_bytes=10_001)},
            ["properties.max_height", "properties.min_bytes"],
        ),
        ({"properties": ImageProperties(max_bytes=9_999, blank=True)}, ["properties.max_bytes", "properties.blank"]),
        ({"properties": ImageProperties(min_bytes=10_000, max_bytes=10_000, blank=False)}, []),
    ],
)
def test_conditions(when: dict[str, object], failed: list[str]) -> None:
    """All conditions must hold. Failed conditions are listed by name."""
    held, not_held = compared_conditions(_condition(**when), asked())

    assert not_held == failed
    assert len(held) + len(failed) == specificity(_condition(**when))


def test_conditions_on_a_picture_fail_without_a_picture() -> None:
    """Globs on a file name or URL that was not sent fail, too."""
    request = replace(REQUEST, filename=None, url=None)
    when = _condition(sha256="ab" * 32, filename="*", url="*", properties=ImageProperties(blank=False))

    assert compared_conditions(when, Query(request, "demo"))[1] == ["sha256", "url", "filename", "properties"]


@pytest.mark.parametrize(
    ("when", "count"),
    [
        ({}, 0),
        ({"images": ("a", "b")}, 1),
        ({"images": ("a",), "key": "k", "product": Product.VIN}, 3),
        ({"header": {"a": "1", "b": "2"}, "properties": ImageProperties(min_width=1, blank=False)}, 4),
    ],
)
def test_specificity(when: dict[str, object], count: int) -> None:
    """Every condition counts, including each header and each property."""
    assert specificity(_condition(**when)) == count


A, B = {"images": ("a",)}, {"images": ("b",)}


@pytest.mark.parametrize(
    ("scenarios", "found", "winner"),
    [
        pytest.param([("one", A, 5)], [("a", "sha256")], "one", id="its picture"),
        pytest.param([("one", A, 5)], [("b", "sha256")], None, id="another picture"),
        pytest.param([("one", A, 5)], [], None, id="no picture known"),
        pytest.param([("one", A, 5), ("two", A, 4)], [("a", "sha256")], "two", id="priority"),
        pytest.param([("one", A, 5), ("two", {**A, "key": "key-1"}, 5)], [("a", "sha256")], "two", id="specificity"),
        pytest.param(
            [("one", A, 4), ("two", {**A, "key": "key-1"}, 5)],
            [("a", "sha256")],
            "one",
            id="priority before specificity",
        ),
        pytest.param([("one", A, 5), ("two", {**A, "key": "no"}, 1)], [("a", "sha256")], "one", id="conditions fail"),
        pytest.param([("one", A, 5), ("two", B, 5)], [("a", "perceptual"), ("b", "pixels")], "two", id="exactness"),
        pytest.param([("one", A, 5), ("two", A, 5)], [("a", "sha256")], "one", id="order of the files"),
        pytest.param([("one", {}, 5), ("two", A, 5)], [("a", "perceptual")], "two", id="picture before rule"),
        pytest.param([("one", {"key": "key-1"}, 5)], [], "one", id="rule"),
        pytest.param([("one", {"sha256": "ab" * 32}, 5)], [], "one", id="digest"),
    ],
)
def test_precedence(
    scenarios: list[tuple[str, dict[str, object], int]], found: list[tuple[str, MatchMethod]], winner: str | None
) -> None:
    """Priority, number of conditions, exactness of the picture match, order of the files."""
    known = Scenarios(
        Scenario(name, _condition(**when), priority=priority, order=place)
        for place, (name, when, priority) in enumerate(scenarios)
    )
    matches = known.matches(asked(*found))

    assert (matches[0].scenario.name if matches else None) == winner


@pytest.mark.parametrize(
    ("when", "kind"),
    [
        (A, MatchKind.PERCEPTUAL),
        ({"sha256": "ab" * 32}, MatchKind.SHA256),
        ({"url": "https://*"}, MatchKind.URL),
        ({"key": "key-1"}, MatchKind.RULE),
    ],
)
def test_how_it_was_found(when: dict[str, object], kind: MatchKind) -> None:
    """A match has the kind of condition that found the scenario."""
    (match,) = Scenarios([Scenario("s", _condition(**when))]).matches(asked(("a", "perceptual")))

    assert match.kind is kind


def test_scenarios_of_other_keys_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is compared with the scenarios of its own key and with those of no key, however many there are."""
    compared: list[str] = []

    def match(scenario: Scenario, *facts: Any) -> Match:
        compared.append(scenario.id)
        return Match(scenario, *facts)

    monkeypatch.setattr("mock_server.core.matching.Match", match)
    conditions: list[dict[str, object]] = [{**A}, {"sha256": "ab" * 32}, {"url": "https://*"}]
    known = Scenarios(
        Scenario(f"s{number}", _condition(**when, key=key), order=number)
        for number, when in enumerate(conditions)
        for key in (None, *(f"key-{one}" for one in range(100)))
    )
    found = known.matches(asked(("a", "sha256")))

    assert found[0].scenario.id == "s0?key=key-1"
    assert sorted(compared) == ["s0", "s0?key=key-1", "s1", "s1?key=key-1", "s2", "s2?key=key-1"]


def test_a_name_means_the_scenario_of_the_key() -> None:
    """Else the one that is bound to no key, else any other."""
    bound = [Scenario("s", _condition(key=key)) for key in ("one", "two")]
    free = Scenario("s")

    assert Scenarios([*bound, free]).named("s", "two") is bound[1]
    assert Scenarios([*bound, free]).named("s", "three") is free
    assert Scenarios(bound).named("s", "three") is bound[0]
    with pytest.raises(KeyError):
        Scenarios(bound).named("t", "one")


@given(scenarios=sets, asked=requests, data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_changed_copy_is_like_new(scenarios: list[Scenario], asked: Query, data: st.DataObject) -> None:
    """Adding, replacing and removing one gives what building anew gives, and leaves the original as it was."""
    *before, added = scenarios
    removed = data.draw(st.sampled_from([None, *before]))
    original = Scenarios(before)
    changed = original.changed(removed=removed, added=added)
    left = [one for one in before if one is not removed]
    for account in ACCOUNTS:
        query = asked_by(asked, account)

        assert changed.matches(query) == Scenarios([*left, added]).matches(query)
        assert original.matches(query) == Scenarios(before).matches(query)
    assert changed.in_order() == [*left, added]
    assert original.in_order() == before
