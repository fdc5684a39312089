"""All that a fixtures directory says, compiled: scenarios, accounts, pictures and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mock_server.core.account import Account
from mock_server.core.model import OutcomeName
from mock_server.core.scenario import Delay, Scenario


class UnmatchedPolicy(StrEnum):
    """What happens to a picture that no scenario knows."""

    SYNTHESIZE = "synthesize"
    NOTHING_FOUND = "nothing_found"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What `mock.yaml` says beside the accounts; None means that it says nothing.

    `charge`: provider name (or "*") to the outcomes that cost a unit there. `variants`: provider name to outcome to
    the variant that is rendered when a scenario names none.
    """

    unmatched: UnmatchedPolicy | None = None
    strict: bool | None = None
    delay: Delay | None = None
    charge: Mapping[str, frozenset[OutcomeName]] = field(default_factory=dict)
    variants: Mapping[str, Mapping[OutcomeName, str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FixtureSet:
    """A loaded fixtures directory. `images` maps each picture's id (its path below the directory) to where it is.

    A picture added at run time has its bytes in place of a path. `unnamed` are pictures that lie in `images/` and
    that no scenario names: they are shown, and recognised as nothing.
    """

    root: Path | None = None
    scenarios: tuple[Scenario, ...] = ()
    accounts: tuple[Account, ...] = ()
    defaults: Defaults = Defaults()
    images: Mapping[str, Path | bytes] = field(default_factory=dict)
    unnamed: Mapping[str, Path] = field(default_factory=dict)
