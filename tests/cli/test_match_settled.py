"""The verb `match`, where the account or the request itself decides: it says what a server answers to that call."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from mock_server.cli.match import command
from tests.support import FIXTURES, carsxe, picture, vehicore

CAR = FIXTURES / "images" / "car.jpg"
_KNOWN = "car (images/car.jpg, same bytes)"
_FORCED = f"lost  {_KNOWN}: the request forces another result"
_REFUSED = f"lost  {_KNOWN}: the account is refused"


def match(*options: str, image: Path = CAR, fixtures: Path = FIXTURES) -> Result:
    """The verb, by default on a known picture."""
    return CliRunner().invoke(command, [str(image), str(fixtures), *options])


@pytest.mark.parametrize(
    ("options", "lines", "code"),
    [
        pytest.param(
            ["--header", "Prefer: outcome=rate_limited"],
            ["forced rate_limited (prefer outcome=rate_limited)", _FORCED],
            0,
            id="an outcome",
        ),
        pytest.param(
            ["--header", "prefer=code=402", "--product", "vin"],
            [
                "forced out_of_credits (prefer code=402); only vehicore vin",
                "forced payment_required (prefer code=402); only carsxe vin",
                _FORCED,
            ],
            0,
            id="a status that means something else to each provider",
        ),
        pytest.param(
            ["--header", "Prefer: respond-async", "--header", 'Prefer: outcome="no_text"', "--provider", "vehicore"],
            ["forced no_text (prefer outcome=no_text)", f"match {_KNOWN}"],
            0,
            id="a repeated header, and a result of the recognition",
        ),
        pytest.param(
            ["--header", "Prefer: scenario=car", "--key", "demo-key"],
            ["forced scenario car (prefer scenario=car)"],
            0,
            id="the scenario that matches anyway",
        ),
        pytest.param(
            ["--filename", "mock-service_error-2.jpg"],
            ["forced service_error (filename token); only vehicore plate, vehicore vin", f"match {_KNOWN}"],
            0,
            id="a file name, which only uploads have",
        ),
        pytest.param(
            ["--url", "https://cdn.test/mock-upstream_down/1.jpg"],
            ["forced upstream_down (url token)", _FORCED],
            0,
            id="a URL",
        ),
        pytest.param(
            ["--header", "Prefer: outcome=rate_limitd"],
            [
                "refused 501: the mock knows no outcome rate_limitd; did you mean rate_limited?",
                f"lost  {_KNOWN}: the mock knows no outcome rate_limitd",
            ],
            1,
            id="a mistyped outcome",
        ),
        pytest.param(
            ["--key", "no-credits", "--product", "plate", "--provider", "vehicore"],
            ["refused out_of_credits: the account broke has used all 0 units of its credits for plate", _REFUSED],
            1,
            id="no credits",
        ),
        pytest.param(["--key", "metered-key"], [f"match {_KNOWN}"], 0, id="an account with an allowance"),
        pytest.param(
            ["--key", "slow-key"], [f"match {_KNOWN}"], 0, id="a rate, which the calls of this verb do not use up"
        ),
        pytest.param(
            ["--key", "", "--header", "Prefer: outcome=read"],
            ["refused missing_key: the request has no key", _REFUSED],
            1,
            id="no key, whatever is forced",
        ),
        pytest.param(
            ["--key", "blocked-key"],
            ["refused blocked_key: the account barred is blocked", _REFUSED],
            1,
            id="a blocked key",
        ),
    ],
)
def test_what_decides_before_scenarios(options: list[str], lines: list[str], code: int) -> None:
    """A line for each result that no scenario decides; the scenario that would match loses, with the reason."""
    ended = match(*options)
    found = [line for line in ended.stdout.splitlines()[1:] if not line.startswith("near")]

    assert found == lines, ended.stderr
    assert ended.exit_code == code


@pytest.mark.parametrize("key", ["demo-key", "no-credits", "inactive-key", "disabled-key", "basic-plan-key", "nobody"])
@pytest.mark.parametrize(
    "headers", [{}, {"Prefer": "outcome=service_error"}, {"Prefer": "code=404"}], ids=["", "outcome", "code"]
)
def test_a_server_answers_the_same(http: httpx.Client, key: str, headers: Mapping[str, str]) -> None:
    """The journal's outcome of a real call is that of the line."""
    replies = [vehicore(http, key=key, headers=headers), carsxe(http, key=key, headers=headers)]
    for provider, reply in zip(("vehicore", "carsxe"), replies, strict=True):
        options = [f"--header={name}: {value}" for name, value in headers.items()]
        line = match("--key", key, "--provider", provider, "--product", "plate", *options).stdout.splitlines()[1]
        entry = http.get(f"/__admin/requests/{reply.headers['X-Mock-Request-Id']}").json()
        is_matched = entry["scenario"] and not entry["forced"]
        outcome = entry["outcome"] or "501"

        assert line.startswith("match " if is_matched else (f"forced {outcome}", f"refused {outcome}")), entry


def test_a_condition_on_the_language(tmp_path: Path) -> None:
    """The language decides where it is given, and is required where it is not."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "car.jpg").write_bytes(picture("car"))
    (tmp_path / "scenarios" / "german.yaml").write_text(
        "scenario: german\nwhen: {image: ../car.jpg, language: de}\nreading: {plate: B-MW 1847}\n"
    )
    found = {
        options: match(*options, image=tmp_path / "car.jpg", fixtures=tmp_path).stdout.splitlines()[1]
        for options in [(), ("--language", "de-AT"), ("--language", "en")]
    }

    assert found == {
        (): "match german (car.jpg, same bytes); also requires language de",
        ("--language", "de-AT"): "match german (car.jpg, same bytes, language)",
        ("--language", "en"): "no scenario knows this picture",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--provider", "vehicore", "--url", "https://x.test/1.jpg"],
            "--url cannot be given: vehicore takes an upload",
        ),
        (["--provider", "carsxe", "--filename", "x.jpg"], "--filename cannot be given: carsxe takes an image URL"),
    ],
)
def test_facts_that_a_provider_does_not_have(options: list[str], message: str) -> None:
    """A usage error names the option."""
    ended = match(*options)

    assert (ended.exit_code, message in ended.stderr) == (2, True)
