"""Fixture directories with one damaged file. Each loads, or is refused with mistakes that name their place."""

import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mock_server.errors import FixturesError
from mock_server.scenarios.load import load
from mock_server.settings import shipped_fixtures
from tests.hostile.admin_inputs import changed_yaml, seed_scenarios
from tests.hostile.mutation import changed_bytes
from tests.hostile.picture_inputs import changed_picture
from tests.support import FIXTURES

_MOCK_FILES = (
    (FIXTURES / "mock.yaml").read_text("utf-8"),
    (shipped_fixtures() / "mock.yaml").read_text("utf-8"),
    """unmatched: nothing_found
delay: {uniform: [1ms, 2ms]}
charge: {carsxe: [read, nothing_found]}
chaos: {service_error: 5%}
vehicore: {nothing_found: empty_result}
accounts:
  - {name: a, key: "${KEY:-a-key}", credits: {plate: 5, vin: unlimited}, quota: {shared: 100}, rate_limit: 5/second}
""",
)


@dataclass(slots=True)
class Loads:
    """The results of a campaign."""

    count: int = 0
    good: int = 0
    mistakes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0


class DamagedDirectory:
    """A fixtures directory in which one file after the other is damaged."""

    def __init__(self, place: Path) -> None:
        self.root = place / "fixtures"
        (self.root / "scenarios").mkdir(parents=True)
        shutil.copytree(FIXTURES / "images", self.root / "images")
        self._pictures = sorted((self.root / "images").iterdir())

    def load_many(self, count: int, seed: int, results: Loads) -> None:
        """Load as many damaged directories."""
        for number in range(count):
            rng = random.Random(f"{seed}/files/{number}")
            damaged = self._damage(rng)
            started = time.perf_counter()
            try:
                load(self.root)
                results.good += 1
            except FixturesError as error:
                results.mistakes.update(mistake.what[:40] for mistake in error.mistakes)
                if not all(mistake.file for mistake in error.mistakes):
                    results.faults.append(f"a mistake without a file, {error}, for {damaged!r}"[:3000])
            except Exception as error:  # any other error is a fault
                results.faults.append(f"{error!r} for {damaged!r}"[:3000])
            results.slowest = max(results.slowest, time.perf_counter() - started)
            results.count += 1

    def _damage(self, rng: random.Random) -> bytes:
        mock_file, scenario, name = rng.choice(_MOCK_FILES), rng.choice(seed_scenarios()), "scenarios/a.yaml"
        data = changed_yaml(rng, scenario)
        match rng.randrange(10):
            case 0 | 1 | 2:
                name, data = "mock.yaml", changed_yaml(rng, mock_file)
            case 3:
                data = changed_bytes(data, rng)
            case 4:
                data = rng.choice((b"\xff\xfe", b"\xef\xbb\xbf", b"")) + data
        (self.root / "mock.yaml").write_text(mock_file, "utf-8")
        (self.root / "scenarios/a.yaml").write_text(scenario, "utf-8")
        (self.root / name).write_bytes(data)
        if rng.random() < 0.1:
            rng.choice(self._pictures).write_bytes(changed_picture(rng))
        return data
