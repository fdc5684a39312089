"""VINs that are none."""

from mock_server.core.scenario import Scenario
from mock_server.identifiers import vins
from mock_server.scenarios.issue import Issue
from mock_server.suggest import quoted


def vin_issues(scenario: Scenario) -> list[Issue]:
    """Warnings of a VIN that is none, unless a step says that it is to be wrong."""
    vin = scenario.reading.vin
    if vin is None or any(step.trouble and step.trouble.bad_check_digit for step in scenario.steps):
        return []
    path, text = ("reading", "vin", "text"), vin.text.upper()
    if len(text) != vins.VIN_LENGTH:
        what = f"the VIN {quoted(vin.text)} has {len(text)} characters, not {vins.VIN_LENGTH}"
        return [Issue(path, what, 'text that is no VIN goes under "text"', warning=True)]
    if illegal := [char for char in text if char not in vins.ALPHABET]:
        return [Issue(path, f"no VIN holds {quoted(illegal[0])}, as {quoted(vin.text)} does", warning=True)]
    if not vins.is_valid(text):
        what = f"the check digit of {quoted(vin.text)} would be {quoted(vins.check_digit(text))}, not {quoted(text[8])}"
        return [Issue(path, what, '"trouble: {bad_check_digit: true}" says that this is meant', warning=True)]
    return []
