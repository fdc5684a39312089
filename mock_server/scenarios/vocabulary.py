"""The names that fixture files may use and that other layers know: providers, variants and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mock_server.core.model import OutcomeName


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names given by the application.

    `providers`: provider name to outcome to the variants it can render. `settings`: names of the server's
    settings that `mock.yaml` may give. With no provider at all, any provider and any variant will do.
    """

    providers: Mapping[str, Mapping[OutcomeName, frozenset[str]]] = field(default_factory=dict)
    settings: frozenset[str] = frozenset()

    def variants(self, outcome: OutcomeName, provider: str | None = None) -> frozenset[str]:
        """The variants of `outcome` that `provider`, or any of them, can render."""
        names = [provider] if provider in self.providers else list(self.providers)
        return frozenset().union(*(self.providers[name].get(outcome, frozenset()) for name in names if name))


ANY = Vocabulary()
