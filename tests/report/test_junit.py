"""The report as JUnit XML: it has the elements and attributes that the readers of CI systems accept."""

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import httpx
import pytest

from mock_server import MockServer
from tests.support import FIXTURES, carsxe, drawn, new_key, vehicore


class Schema(NamedTuple):
    """What an element may have, after `junit-10.xsd` of Jenkins."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()


_COUNTS = frozenset({"tests", "failures", "errors"})
_RESULT = Schema(optional=frozenset({"type", "message"}))
SCHEMAS = {
    "testsuites": Schema(frozenset(), frozenset({"name", "time"}) | _COUNTS, frozenset({"testsuite"})),
    "testsuite": Schema(
        frozenset({"name"}) | _COUNTS,
        frozenset({"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"}),
        frozenset({"testsuite", "properties", "testcase", "system-out", "system-err"}),
    ),
    "testcase": Schema(
        frozenset({"name"}),
        frozenset({"time", "classname", "group"}),
        frozenset({"skipped", "error", "failure", "system-out", "system-err"}),
    ),
    "failure": _RESULT,
    "skipped": _RESULT,
}


def violations(element: Element) -> Iterator[str]:
    """What the schema does not allow."""
    schema, names = SCHEMAS.get(element.tag, Schema()), set(element.attrib)
    for missing in schema.required - names:
        yield f"{element.tag} has no {missing}"
    for extra in names - schema.required - schema.optional:
        yield f"{element.tag} has the attribute {extra}"
    for child in element:
        if child.tag not in schema.children:
            yield f"{element.tag} contains {child.tag}"
        yield from violations(child)


def results(suite: Element, tag: str) -> list[str]:
    """The names of the test cases with a result of that kind."""
    return [case.attrib["name"] for case in suite.iter("testcase") if case.find(tag) is not None]


def junit(http: httpx.Client) -> Element:
    """The report of a server."""
    return ElementTree.fromstring(http.get("/__admin/report", params={"format": "junit", "final": "true"}).content)


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """A server of the test's own, whose report is empty."""
    with MockServer(FIXTURES, advice_off="gave-up-early") as server:
        yield server


def test_an_empty_report_is_valid(http: httpx.Client) -> None:
    """Everything is skipped, nothing has failed."""
    root = junit(http)

    assert list(violations(root)) == []
    assert (root.attrib["failures"], root.attrib["errors"]) == ("0", "0")
    assert len(results(root, "skipped")) == int(root.attrib["tests"]) - len(results(root, "failure")) - 8


def test_every_part_is_valid(mock: MockServer, http: httpx.Client) -> None:
    """Seen replies pass; advice, unknown pictures and unknown paths fail; odd names are well-formed."""
    key = new_key(mock)
    vehicore(http, key=key)
    vehicore(http, key=key)
    vehicore(http, key=key, image=drawn("stranger"), filename='<b>"\x01\ud7ff&amp;]]>.jpg')
    http.post("/no/<such>/path&x")
    carsxe(http, key=key, headers={"Prefer": "code=503"})
    root = junit(http)
    suites = {suite.attrib["name"]: suite for suite in root}

    assert list(violations(root)) == []
    for suite in root:
        counts = {tag: len(results(suite, tag)) for tag in ("failure", "skipped")}
        assert (int(suite.attrib["failures"]), int(suite.attrib["skipped"])) == (counts["failure"], counts["skipped"])
        assert int(suite.attrib["tests"]) == len(suite)
    assert {name: sum(int(suite.attrib[name]) for suite in root) for name in _COUNTS} == {
        name: int(root.attrib[name]) for name in _COUNTS
    }
    assert "200 OK (read)" not in results(suites["VehiCore plate"], "skipped")
    assert results(suites["advice"], "failure") == ["no-retry", "paid-twice"]
    assert results(suites["advice"], "skipped") == ["gave-up-early"]
    assert [case.attrib["classname"] for case in suites["pictures and paths"]] == [
        "vehicle_ocr_mock.pictures",
        "vehicle_ocr_mock.paths",
    ]
