"""The compiled content of a fixtures directory: scenarios, accounts, pictures and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mock_server.core.account import Account
from mock_server.core.model import OutcomeName
from mock_server.core.scenario import Delay, Scenario
from mock_server.suggest import many


class UnmatchedPolicy(StrEnum):
    """What happens to a picture without a scenario."""

    SYNTHESIZE = "synthesize"
    NOTHING_FOUND = "nothing_found"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Defaults:
    """The defaults in `mock.yaml`. None means that it has no such field.

    `charge`: provider name (or "*") to the outcomes that cost a unit. `variants`: provider name to outcome to the
    variant that is used if a scenario names none. `chaos`: outcomes and faults that any request may meet, with their
    chances, 0 to 1.
    """

    unmatched: UnmatchedPolicy | None = None
    strict: bool | None = None
    delay: Delay | None = None
    charge: Mapping[str, frozenset[str]] = field(default_factory=dict)
    variants: Mapping[str, Mapping[OutcomeName, str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    chaos: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FixtureSet:
    """A loaded fixtures directory. `images` maps the id of a picture (its path below the directory) to its file.

    A picture that was added at run time has its bytes instead of a path. `unnamed` are pictures in `images/` that no
    scenario names: they are in the gallery, and no request matches them.
    """

    root: Path | None = None
    scenarios: tuple[Scenario, ...] = ()
    accounts: tuple[Account, ...] = ()
    defaults: Defaults = Defaults()
    images: Mapping[str, Path | bytes] = field(default_factory=dict)
    unnamed: Mapping[str, Path] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """What is in it, as users read it: "1 scenario, 2 pictures"."""
        return f"{many(len(self.scenarios), 'scenario')}, {many(len(self.images), 'picture')}"
