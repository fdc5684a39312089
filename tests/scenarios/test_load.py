"""A fixtures directory becomes the values that the core works with."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mock_server.core.account import Account, AccountStatus, Quota
from mock_server.core.delay import Fixed, Lognormal, Uniform
from mock_server.core.library import UnmatchedPolicy
from mock_server.core.model import Dribble, Fault, OutcomeName, Product
from mock_server.core.reading import Candidate
from mock_server.core.scenario import Step, Trouble
from mock_server.errors import FixturesError
from mock_server.imaging.geometry import Box
from mock_server.scenarios.load import FixtureLoader, load
from mock_server.scenarios.scenario_reader import parse_scenario
from mock_server.scenarios.source import FileSource

Write = Callable[[Mapping[str, str | bytes]], Path]


@pytest.mark.parametrize(
    "text", ["007", "NO", "1E10", "12:30", "0123", "null", "~", "true", "0x1F", "1_000", ".5", "=", "2024-01-01"]
)
def test_text_stays_as_written(text: str) -> None:
    """A plate stays as it is written, even if YAML has another type for it."""
    scenario = parse_scenario(f"scenario: trap\nwhen: {{key: {text}}}\nreading: {{plates: [{text}, {{text: {text}}}]}}")

    assert [plate.text for plate in scenario.reading.plates] == [text, text]
    assert scenario.when.key == text


def test_full_scenario(write: Write) -> None:
    """Every part of a scenario becomes a value of the core."""
    root = write(
        {
            "scenarios/deep/car.yaml": """\
scenario: car
description: Two cars
priority: 3
when:
  image: ../../images/car.png
  header: {X-Test: "a*"}
  product: plate
  properties: {format: jpg, min_width: 100, blank: false}
reading:
  plates:
    - {text: 9DJC652, region: us-ca, score: 0.902, box: [12, 100, 148, 144],
       candidates: [{text: 9OJC652, score: 0.742}, 9QJC652], vehicle: {type: Sedan, box: [90, 80, 400, 200]}}
    - 7XYZ123
  vin: {text: JHLRD77874C026456, confidence: 0.983, candidates: [{text: JHLRD77874C026455, confidence: 0.5}]}
then:
  - {outcome: service_error, message: Busy, delay: 1.5s}
  - {outcome: read, times: 2, delay: {uniform: [100ms, 300ms]}, headers: {X-A: 1}}
  - {fault: EMPTY_RESPONSE, delay: {dribble: {chunks: 5, over: 1s}}, trouble: {score: [0.3, 0.5], confuse: 1}}
repeat: cycle
"""
        }
    )

    scenario = load(root).set.scenarios[0]

    assert scenario.when.images == ("images/car.png",)
    assert scenario.when.header == {"x-test": "a*"}
    assert scenario.when.product is Product.PLATE
    assert scenario.when.properties is not None
    assert scenario.when.properties.format == "JPEG"
    assert scenario.when.properties.blank is False
    first, second = scenario.reading.plates
    assert first.box == Box(12, 100, 148, 144)
    assert first.candidates == (Candidate("9DJC652", 0.902), Candidate("9OJC652", 0.742), Candidate("9QJC652", 0.631))
    assert first.vehicle is not None
    assert first.vehicle.box == Box(90, 80, 400, 200)
    assert second.candidates == (Candidate("7XYZ123", second.score),)
    assert scenario.reading.vin is not None
    assert [one.score for one in scenario.reading.vin.candidates] == [0.983, 0.5]
    assert scenario.steps == (
        Step(OutcomeName.SERVICE_ERROR, message="Busy", times=1, delay=Fixed(1.5)),
        Step(times=2, delay=Uniform(0.1, 0.3), headers={"X-A": "1"}),
        Step(times=1, delay=Dribble(5, 1.0), fault=Fault.EMPTY_RESPONSE, trouble=Trouble((0.3, 0.5), 1)),
    )
    assert (scenario.cycle, scenario.priority, scenario.file, scenario.line) == (True, 3, "scenarios/deep/car.yaml", 1)


def test_last_step_stays() -> None:
    """Without `repeat: cycle` the last step is repeated without end."""
    scenario = parse_scenario(
        "scenario: s\nthen: [service_error, {outcome: read, delay: {lognormal: {median: 120ms, sigma: 0.4, max: 5s}}}]"
    )

    assert [step.times for step in scenario.steps] == [1, None]
    assert scenario.steps[1].delay == Lognormal(0.12, 0.4, 5.0)


def test_accounts_and_defaults(write: Write) -> None:
    """`mock.yaml` gives accounts with all their allowances, and defaults."""
    root = write(
        {
            "mock.yaml": """\
accounts:
  - {name: demo, key: 12:30, credits: {plate: 100}, quota: {plate: {limit: 1000, used: 3}, vin: unlimited}}
  - {key: gone, status: disabled, plans: [], credits: 0, quota: 5, overage: yes, quota_period: never}
  - {key: slow-key, rate_limit: 2/second, tier: pro}
unmatched: nothing_found
strict: true
delay: 5ms
charge: {"*": [read], carsxe: [read, nothing_found]}
"""
        }
    )

    fixtures = load(root).set

    demo, gone, slow = fixtures.accounts
    assert (demo.key, demo.credits) == ("12:30", {Product.PLATE: 100, Product.VIN: None})
    assert demo.quota == {Product.PLATE: Quota(1000, 3), Product.VIN: Quota(None)}
    assert (gone.name, gone.status, gone.plans) == ("account-2", AccountStatus.DISABLED, frozenset())
    assert gone.quota == {Product.PLATE: Quota(5), Product.VIN: Quota(5)}
    assert (slow.rate_limit, slow.tier) == ("2/second", "pro")
    assert fixtures.defaults.unmatched is UnmatchedPolicy.NOTHING_FOUND
    assert fixtures.defaults.strict is True
    assert fixtures.defaults.delay == Fixed(0.005)
    assert fixtures.defaults.charge["carsxe"] == {OutcomeName.READ, OutcomeName.NOTHING_FOUND}


def test_accounts_stand_in(write: Write) -> None:
    """Without accounts in `mock.yaml` the given ones are used; an empty list means no accounts."""
    shipped = (Account("demo", "demo-key"),)
    root = write({})

    assert load(root, accounts=shipped).set.accounts == shipped

    root = write({"mock.yaml": "accounts: []\n"})

    assert load(root, accounts=shipped).set.accounts == ()


def test_scenarios_are_ordered(write: Write) -> None:
    """File order is the order of paths, then of documents; hidden and foreign files are passed over."""
    root = write(
        {
            "scenarios/b.yaml": "scenario: b1\nwhen: {key: a}\n---\nscenario: b2\nwhen: {key: b}\n",
            "scenarios/a/z.yml": "scenario: z\nwhen: {key: c}\n",
            "scenarios/.hidden.yaml": "scenario: hidden\n",
            "scenarios/..data/b.yaml": "scenario: b1\n",
            "scenarios/notes.txt": "scenario: notes\n",
        }
    )

    scenarios = load(root, accounts=[Account(key, key) for key in "abc"]).set.scenarios

    assert [(one.name, one.order) for one in scenarios] == [("z", 0), ("b1", 1), ("b2", 2)]


def test_mock_file_among_the_scenarios(write: Write) -> None:
    """A `mock.yaml` in the directory of the scenarios is one mistake, which says where it belongs."""
    root = write({"scenarios/mock.yaml": "unmatched: error\nstrict: true\n", "scenarios/a.yaml": "scenario: a\n"})

    with pytest.raises(FixturesError) as caught:
        load(root)

    file = root / "scenarios" / "mock.yaml"
    assert str(caught.value) == f"{file}:1:1: this is not a scenario — mock.yaml belongs beside scenarios/"


def test_all_mistakes_at_once(write: Write) -> None:
    """Every mistake of every file is reported, in order of file and line, with the directory as it was given."""
    root = write(
        {
            "mock.yaml": "accounts:\n  - {name: x}\nunmatchd: error\n",
            "scenarios/b.yaml": "scenario: b\npriority: 12\n---\nscenario: B\n",
            "scenarios/a.yaml": "scenario: a\nwhen: {image: [missing.png]}\n",
        }
    )

    with pytest.raises(FixturesError) as caught:
        load(root)

    assert [(Path(one.file).name, one.line) for one in caught.value.mistakes] == [
        ("mock.yaml", 2),
        ("mock.yaml", 3),
        ("a.yaml", 2),
        ("b.yaml", 2),
        ("b.yaml", 4),
    ]


def test_directory_may_change(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative path keeps its meaning when the process changes its working directory."""
    root = write({"scenarios/a.yaml": "scenario: a\nwhen: {image: ../images/car.png}\n"})
    monkeypatch.chdir(root.parent)
    loader = FixtureLoader(Path("fixtures"))
    fixtures = loader.load().set
    monkeypatch.chdir("/")

    assert loader.load().set == fixtures
    assert all(isinstance(source, Path) and source.is_file() for source in fixtures.images.values())


def test_reload_reads_what_changed(write: Write) -> None:
    """A second load parses only changed files; new, changed and removed files take effect."""
    root = write({"scenarios/a.yaml": "scenario: a\n", "scenarios/b.yaml": "scenario: b\nwhen: {url: x}\n"})
    loader = FixtureLoader(root)
    before = loader.load().set.scenarios
    root = write(
        {"scenarios/b.yaml": "scenario: bee\nwhen: {url: y}\n", "scenarios/c.yaml": "scenario: c\nwhen: {url: z}"}
    )

    after = loader.load().set.scenarios

    assert [one.name for one in after] == ["a", "bee", "c"]
    assert after[0].when is before[0].when


def test_places_are_read_again(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded directory keeps no places. A file is read once for the places of all mistakes that are found later."""
    texts = [f"scenario: s{number}\nwhen:\n  filename: {number}.jpg" for number in range(3)]
    loaded = load(write({"scenarios/all.yaml": "\n---\n".join(texts)}))
    sources = [one.source for one in loaded.parsed if isinstance(one.source, FileSource)]
    assert [source.node for source in sources] == [None] * 3
    reads: list[Path] = []

    def read(path: Path) -> bytes:
        reads.append(path)
        with path.open("rb") as file:
            return file.read()

    monkeypatch.setattr(Path, "read_bytes", read)

    found = [source.mistake(("when", "filename"), "wrong") for source in sources]

    assert [(mistake.line, mistake.column) for mistake in found] == [(3, 13), (7, 13), (11, 13)]
    assert [path.name for path in reads] == ["all.yaml"]
