"""How the conditions of `--fail-on` are written."""

import pytest

from mock_server.errors import SettingsError
from mock_server.report.fail_on import parse_conditions


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        (" , ,", []),
        ("advice", ["advice"]),
        (" unmatched ,\tadvice,\nunserved", ["unmatched", "advice", "unserved"]),
        ("advice,advice", ["advice"]),
        ("coverage<80", ["coverage<80"]),
        ("coverage < 80.5 %", ["coverage < 80.5 %"]),
        ("coverage<0,coverage<100%", ["coverage<0", "coverage<100%"]),
    ],
)
def test_conditions(text: str, names: list[str]) -> None:
    """Names between commas, with or without spaces; a share may have a decimal point and a percent sign."""
    assert list(parse_conditions(text)) == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("advise", "there is no condition 'advise'; did you mean \"advice\"?"),
        ("Advice", "there is no condition 'Advice'; did you mean \"advice\"?"),
        ("unmatched;advice", "there is no condition 'unmatched;advice'; did you mean \"unmatched\"?"),
        ("unmatched advice", "there is no condition 'unmatched advice'; did you mean \"unmatched\"?"),
        ("coverage", "there is no condition 'coverage'; did you mean \"coverage<80\"?"),
        ("coverage<", "there is no condition 'coverage<'; did you mean \"coverage<80\"?"),
        ("coverage<=80", "there is no condition 'coverage<=80'; did you mean \"coverage<80\"?"),
        ("coverage>80", "there is no condition 'coverage>80'; did you mean \"coverage<80\"?"),
        ("coverage<-5", "there is no condition 'coverage<-5'; did you mean \"coverage<80\"?"),
        ("coverage<1e2", "there is no condition 'coverage<1e2'; did you mean \"coverage<80\"?"),
        ("coverage<nan", "there is no condition 'coverage<nan'; did you mean \"coverage<80\"?"),
        ("coverage<8٠", "there is no condition 'coverage<8٠'; did you mean \"coverage<80\"?"),
        ("coverage<100.1", "'coverage<100.1' always fails; a coverage is at most 100 %"),
        ("no-retry", "there is no condition 'no-retry'; known: unmatched, unserved, advice, coverage<80"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    """A mistake is an error at the start, with a hint."""
    with pytest.raises(SettingsError) as raised:
        parse_conditions(text)

    assert str(raised.value) == f"fail-on: {message}"
