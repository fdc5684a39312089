"""Chance that can be repeated: the same seed, key and number of the call give the same result."""

import hashlib
from collections.abc import Mapping

CHAOS = "*chaos"
"""The name of the sequence that counts a key's requests for `chaos`. No scenario can have it."""


def draw(*facts: object) -> float:
    """A number from 0 to 1 (exclusive), uniformly distributed over different facts; the same for the same facts."""
    digest = hashlib.blake2b("/".join(map(str, facts)).encode("utf-8", "surrogateescape"), digest_size=7).digest()
    return int.from_bytes(digest, "big") / (1 << 56)


def pick(chances: Mapping[str, float], *facts: object) -> str | None:
    """One of the names, each with its chance (0 to 1, at most 1 in total), or None."""
    drawn = draw(*facts)
    for name, chance in chances.items():
        drawn -= chance
        if drawn < 0:
            return name
    return None
