"""The report as JUnit XML: a test suite for each part, and a test case for each reply, fault, rule and picture."""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from mock_server.report.advice import NAMES
from mock_server.report.document import ProductCoverage, Report
from mock_server.report.texts import advice_title, evidence_line, how_answered, outcome_name, product_name

_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> bytes:
    """The whole report. What was never rehearsed is skipped; advice, unknown pictures and paths are failures.

    The schema is `junit-10.xsd` of Jenkins, the strictest of the common ones: the root has no attribute `skipped`.
    """
    root = Element("testsuites", name="vehicle-ocr-mock")
    for coverage in report.coverage:
        _coverage(root, coverage)
    _advice(root, report)
    _unknown(root, report)
    for suite in root:
        cases = list(suite)
        suite.set("tests", str(len(cases)))
        suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
        suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
        suite.set("errors", "0")
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True))


def _coverage(root: Element, coverage: ProductCoverage) -> None:
    suite = SubElement(root, "testsuite", name=product_name(coverage))
    for row in coverage.outcomes:
        case = _case(suite, "replies", f"{row.label} ({outcome_name(row)})")
        if not row.count:
            SubElement(case, "skipped", message=row.needs or "never rehearsed")
    for fault in coverage.faults:
        case = _case(suite, "faults", fault.fault)
        if not fault.count:
            SubElement(case, "skipped", message="never rehearsed")


def _advice(root: Element, report: Report) -> None:
    suite = SubElement(root, "testsuite", name="advice")
    found = {one.rule: one for one in report.advice}
    for rule in NAMES:
        case = _case(suite, "advice", rule)
        if rule in report.rules_off:
            SubElement(case, "skipped", message="switched off")
        elif broken := found.get(rule):
            lines = [broken.why, broken.mend, *map(evidence_line, broken.evidence)]
            _fail(case, advice_title(broken), "\n".join(lines))


def _unknown(root: Element, report: Report) -> None:
    suite = SubElement(root, "testsuite", name="pictures and paths")
    for picture in report.undescribed:
        case = _case(suite, "pictures", f"{picture.provider} {picture.product} {picture.picture or 'without a name'}")
        _fail(case, f"no scenario describes the picture; {how_answered(picture)}", f"request {picture.request}")
    for path in report.unserved:
        case = _case(suite, "paths", f"{path.method} {path.path}")
        _fail(case, f"nothing serves the path; {path.hint or ''}", f"request {path.request}")


def _case(suite: Element, kind: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=f"vehicle_ocr_mock.{kind}", name=_xml(name), time="0")


def _fail(case: Element, message: str, text: str) -> None:
    kind = case.get("classname", "").rpartition(".")[2]
    SubElement(case, "failure", type=kind, message=_xml(message)).text = _xml(text)


def _xml(text: str) -> str:
    """Text without the characters that XML cannot contain."""
    return _NOT_XML.sub("�", text)
