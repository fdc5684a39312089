"""Forcing: the `Prefer` header and tokens."""

import time
from dataclasses import replace

import pytest

from mock_server.core.forcing import ForcedResult, find, parse_preferences
from mock_server.core.model import OutcomeName, Product, ReadRequest
from mock_server.errors import UnknownPreferenceError

REQUEST = ReadRequest("acme", Product.PLATE, "key")
SCENARIOS = {"two-cars", "two", "night"}
STATUSES = {429: OutcomeName.RATE_LIMITED, 200: OutcomeName.READ}


def forced(request: ReadRequest) -> ForcedResult | None:
    """What a request forces at a provider with two statuses."""
    return find(request, SCENARIOS, STATUSES)


@pytest.mark.parametrize(
    ("value", "preferences"),
    [
        ("outcome=read", {"outcome": "read"}),
        ("Outcome = read ; x=1", {"outcome": "read"}),
        ('outcome="read"', {"outcome": "read"}),
        (r'outcome="re\ad"', {"outcome": "read"}),
        ("a, b=, c=1", {"a": "", "b": "", "c": "1"}),
        ("a=1, a=2", {"a": "1"}),
        ('a="x, y=z", y=1', {"a": "x, y=z", "y": "1"}),
        ("", {}),
        (",,", {}),
        ("=x", {}),
    ],
)
def test_preferences(value: str, preferences: dict[str, str]) -> None:
    """The forms that RFC 7240 allows."""
    assert parse_preferences(value) == preferences


@pytest.mark.parametrize(
    ("header", "filename", "url", "expected"),
    [
        (None, None, None, None),
        ("wait=5", None, None, None),
        ("scenario=night", None, None, ForcedResult("prefer scenario=night", scenario="night")),
        ("outcome=no_text", None, None, ForcedResult("prefer outcome=no_text", outcome=OutcomeName.NO_TEXT)),
        ("code=429", None, None, ForcedResult("prefer code=429", outcome=OutcomeName.RATE_LIMITED, status=429)),
        ("outcome=read, scenario=night", None, None, ForcedResult("prefer scenario=night", scenario="night")),
        (None, "mock-read.jpg", None, ForcedResult("filename token", outcome=OutcomeName.READ)),
        (None, "a-mock-two-cars-3.jpg", None, ForcedResult("filename token", scenario="two-cars")),
        (None, "mock-two_x.jpg", None, ForcedResult("filename token", scenario="two")),
        (None, "mock-twofold.jpg", None, None),
        (None, "mock-x-mock-night.jpg", None, None),
        (None, "mock-x.mock-night.jpg", None, ForcedResult("filename token", scenario="night")),
        (None, None, "https://x.test/mock-night?a=1", ForcedResult("url token", scenario="night")),
        (None, "mock-read.jpg", "https://x.test/mock-night", ForcedResult("filename token", outcome=OutcomeName.READ)),
        ("outcome=no_text", "mock-read.jpg", None, ForcedResult("prefer outcome=no_text", outcome=OutcomeName.NO_TEXT)),
        ("wait=5", "mock-read.jpg", None, ForcedResult("filename token", outcome=OutcomeName.READ)),
    ],
)
def test_precedence(header: str | None, filename: str | None, url: str | None, expected: ForcedResult | None) -> None:
    """The header wins over the file name, the file name over the URL. In the header the scenario wins."""
    headers = {} if header is None else {"prefer": header}

    assert forced(replace(REQUEST, headers=headers, filename=filename, url=url)) == expected


@pytest.mark.parametrize(
    ("header", "kind", "name", "close"),
    [
        ("scenario=nigth", "scenario", "nigth", "night"),
        ("scenario=zzz", "scenario", "zzz", None),
        ("outcome=no_tekst", "outcome", "no_tekst", "no_text"),
        ("code=402", "code", "402", "429"),
        ("code=x", "code", "x", None),
    ],
)
def test_unknown_names_are_an_error(header: str, kind: str, name: str, close: str | None) -> None:
    """The error for an unknown name or status has the most similar known one."""
    with pytest.raises(UnknownPreferenceError) as raised:
        forced(replace(REQUEST, headers={"prefer": header}))

    assert (raised.value.kind, raised.value.name, raised.value.close) == (kind, name, close)


@pytest.mark.parametrize(
    "request_",
    [
        *(
            replace(REQUEST, headers={"prefer": value})
            for value in ('"\\' * 16_000, 'a="' * 10_000, '"a' * 16_000, "a" + " " * 32_000 + "=", ",a" * 16_000)
        ),
        replace(REQUEST, url="http://x/" + "mock-a" * 2_700),
        replace(REQUEST, url="http://x/mock-" + "a-" * 8_000),
        replace(REQUEST, filename="mock-" + "-" * 500),
    ],
    ids=lambda request: (request.headers.get("prefer") or request.url or request.filename)[:16],
)
def test_long_texts_take_a_short_time(request_: ReadRequest) -> None:
    """Headers, URLs and file names of the longest accepted length are read in less than 0.2 s, and force nothing."""
    started = time.process_time()

    assert forced(request_) is None
    assert time.process_time() - started < 0.2


def test_a_long_unknown_name_is_an_error() -> None:
    """The beginning of a long name is compared with the known names."""
    with pytest.raises(UnknownPreferenceError) as raised:
        forced(replace(REQUEST, headers={"prefer": "scenario=" + "a" * 30_000}))

    assert (len(raised.value.name) < 5000, raised.value.close) == (True, None)
