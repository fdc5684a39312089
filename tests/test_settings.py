"""Settings: their sources and the precedence of the sources."""

from typing import Any

import pytest

from mock_server import MockServer, SettingsError
from mock_server.settings import Settings


@pytest.mark.parametrize(
    ("flags", "file", "environment", "expected"),
    [
        ({}, {}, {}, True),
        ({}, {"watch": "no"}, {}, False),
        ({}, {"watch": "yes"}, {"VEHICLE_OCR_MOCK_WATCH": "0"}, False),
        ({}, {"watch": "yes"}, {"VEHICLE_OCR_MOCK_NO_WATCH": "1"}, False),
        ({}, {"watch": "no"}, {"VEHICLE_OCR_MOCK_NO_WATCH": "false"}, True),
        ({"watch": True}, {"watch": "no"}, {"VEHICLE_OCR_MOCK_NO_WATCH": "1"}, True),
        ({"watch": None}, {"watch": "no"}, {}, False),
    ],
)
def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    flags: dict[str, Any], file: dict[str, str], environment: dict[str, str], expected: bool
) -> None:
    """A flag, its variable (also in the form that switches it off), `mock.yaml`, the default: in this order."""
    assert Settings.resolve(flags, file, environment).watch is expected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"stict": True}, 'there is no setting "stict"; did you mean "strict"?'),
        ({"frobnicate": 1}, 'there is no setting "frobnicate"'),
    ],
)
def test_a_setting_that_does_not_exist_is_refused(settings: dict[str, Any], said: str) -> None:
    """A mistyped setting is an error with a suggestion."""
    with pytest.raises(SettingsError) as caught:
        MockServer(**settings).start()

    assert str(caught.value) == said
