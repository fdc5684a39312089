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


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "tcp://10.96.12.7:8080"),
        ("TLS_PORT", "tcp://10.96.12.7:8443"),
        ("ADMIN_PORT", "udp://10.96.12.7:80"),
        ("SERVICE_HOST", "10.96.12.7"),
        ("SERVICE_PORT", "8080"),
        ("SERVICE_PORT_HTTP", "8080"),
        ("PORT_8080_TCP", "tcp://10.96.12.7:8080"),
        ("NAME", "/web/mock"),
        ("ENV_PATH", "/usr/bin"),
        ("PORT_8080_TCP_ADDR", "10.96.12.7"),
        ("ADMIN_PORT_80_UDP_PROTO", "udp"),
        ("ADMIN_SERVICE_PORT_HTTP", "80"),
    ],
)
def test_variables_that_containers_set_are_ignored(variable: str, value: str) -> None:
    """A Service of Kubernetes, or a link of Docker, with the name of the mock sets variables with its prefix."""
    settings = Settings.resolve({}, {}, {f"VEHICLE_OCR_MOCK_{variable}": value})

    assert (settings.port, settings.tls_port) == (8080, 8443)


def test_the_file_counts_where_the_variable_is_of_kubernetes() -> None:
    """An ignored variable does not hide `mock.yaml`."""
    assert Settings.resolve({}, {"port": "9000"}, {"VEHICLE_OCR_MOCK_PORT": "tcp://10.0.0.1:80"}).port == 9000


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("PRT", '; did you mean "VEHICLE_OCR_MOCK_PORT"?'),
        ("WATHC", '; did you mean "VEHICLE_OCR_MOCK_WATCH"?'),
        ("NO_CAHCE", '; did you mean "VEHICLE_OCR_MOCK_NO_CACHE"?'),
        ("CA_DIRECTORY", '; did you mean "VEHICLE_OCR_MOCK_CA_DIR"?'),
        ("FROBNICATE", ""),
        ("SPORT", '; did you mean "VEHICLE_OCR_MOCK_PORT"?'),
    ],
)
def test_unknown_variables_are_refused(variable: str, hint: str) -> None:
    """A mistyped variable is an error with a suggestion."""
    with pytest.raises(SettingsError) as caught:
        Settings.resolve({}, {}, {f"VEHICLE_OCR_MOCK_{variable}": "1"})

    assert str(caught.value) == f"VEHICLE_OCR_MOCK_{variable} is not a setting{hint}"


def test_variables_that_are_no_settings_are_known() -> None:
    """The package's other variables, and those of other programs, are accepted."""
    environ = {f"VEHICLE_OCR_MOCK_{name}": "x" for name in ("URL", "TLS_URL", "CA_DIR", "REDIRECT")}

    assert Settings.resolve({}, {}, {**environ, "VEHICLE_OCR": "1", "OTHER_MOCK_PORT": "1"}) == Settings()


def test_empty_variables_count_as_not_set() -> None:
    """Compose passes a variable that the host does not have as empty; an empty host would mean all addresses."""
    environment = {f"VEHICLE_OCR_MOCK_{name}": "" for name in ("HOST", "PORT", "WATCH", "NO_WATCH", "FIXTURES", "CORS")}

    assert Settings.resolve({}, {}, environment) == Settings()
    assert Settings.resolve({}, {"host": "localhost", "port": "81"}, environment) == Settings(host="localhost", port=81)
