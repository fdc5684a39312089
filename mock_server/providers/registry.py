"""All providers. A new provider is one folder and one line here."""

from collections.abc import Mapping

from mock_server.core.model import OutcomeName
from mock_server.providers.carsxe import CarsXE
from mock_server.providers.provider import Provider
from mock_server.providers.vehicore import VehiCore
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.settings import setting_names

PROVIDERS: tuple[Provider, ...] = (VehiCore(), CarsXE())


def own_hosts() -> tuple[str, ...]:
    """The providers' real host names."""
    return tuple(host for provider in PROVIDERS for host in provider.hosts)


def vocabulary() -> Vocabulary:
    """The names of providers, variants and settings that fixture files may use."""
    variants: Mapping[str, Mapping[OutcomeName, frozenset[str]]] = {
        provider.name: {name: frozenset(choices) for name, choices in provider.traits.variants.items()}
        for provider in PROVIDERS
    }
    return Vocabulary(providers=variants, settings=frozenset(setting_names()))
