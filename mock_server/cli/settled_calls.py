"""What the account or the request itself decides about a call, whatever scenarios match the picture."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mock_server.cli.request_facts import ReadCall, RequestFacts
from mock_server.core import forcing
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.model import PICTURE_OUTCOMES, Outcome
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.core.store import DryRunStore, MemoryStore
from mock_server.errors import UnknownPreferenceError


@dataclass(frozen=True, slots=True)
class Settled:
    """Why the matching scenarios do not decide about a call.

    `scenario` is the one that the client forces. `keeps_reading`: the client forces an outcome of the recognition, and
    the reading is still that of the scenario that matches.
    """

    text: str
    why_lost: str
    scenario: str | None = None
    keeps_reading: bool = False
    is_refusal: bool = False

    @property
    def needs_allowance(self) -> bool:
        """Whether an account without an allowance is refused all the same: the picture would be read."""
        return self.scenario is not None or self.keeps_reading


def settle(pipeline: RequestPipeline, facts: RequestFacts) -> list[Settled | None]:
    """What is settled about each of the possible calls, None where the scenarios decide."""
    return asyncio.run(_settle(pipeline, facts))


def settled_lines(settled: Sequence[Settled | None], calls: Sequence[ReadCall]) -> Iterator[str]:
    """One line for each result, with the calls that get it unless all of them do."""
    for result in dict.fromkeys(filter(None, settled)):
        getting = [call for call, one in zip(calls, settled, strict=True) if one == result]
        names = ", ".join(f"{provider.name} {product}" for provider, product in getting)
        yield result.text if len(getting) == len(calls) else f"{result.text}; only {names}"


async def _settle(pipeline: RequestPipeline, facts: RequestFacts) -> list[Settled | None]:
    store, clock = MemoryStore(), Clock()
    await Accounts(store, clock).declare(pipeline.library.fixtures.accounts)
    # Each call is the first one. Otherwise a rate would refuse the later ones.
    return [await _settle_call(pipeline, Accounts(DryRunStore(store), clock), call, facts) for call in facts.calls]


async def _settle_call(
    pipeline: RequestPipeline, accounts: Accounts, call: ReadCall, facts: RequestFacts
) -> Settled | None:
    """The checks of `RequestPipeline`, in its order. An account is only checked if its key is given."""
    if facts.key is None:
        return _forced(pipeline, call, facts)
    provider, product = call
    admission = await accounts.admit(facts.key, product, provider.traits.billing)
    if isinstance(admission, Outcome):
        return _refused(admission)
    forced = _forced(pipeline, call, facts)
    if forced and not forced.needs_allowance:
        return forced
    refusal = await accounts.check_allowance(admission)
    return forced if refusal is None else _refused(refusal)


def _refused(refusal: Outcome) -> Settled:
    return Settled(f"refused {refusal.name}: {refusal.detail}", "the account is refused", is_refusal=True)


def _forced(pipeline: RequestPipeline, call: ReadCall, facts: RequestFacts) -> Settled | None:
    """What the client forces by a header, by the file name or by the URL."""
    if not pipeline.policy.forcing:
        return None
    provider, product = call
    statuses = provider.traits.statuses.get(product, {})
    try:
        forced = forcing.find(facts.request(call), pipeline.library.scenarios.by_name, statuses)
    except UnknownPreferenceError as error:
        hint = f"; did you mean {error.close[0]}?" if error.close else ""
        reason = f"the mock knows no {error.kind} {error.name}"
        return Settled(f"refused 501: {reason}{hint}", reason, is_refusal=True)
    if forced is None:
        return None
    result = f"scenario {forced.scenario}" if forced.scenario else str(forced.outcome)
    return Settled(
        f"forced {result} ({forced.by})",
        "the request forces another result",
        forced.scenario,
        keeps_reading=forced.outcome in PICTURE_OUTCOMES,
    )
