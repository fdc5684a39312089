"""The words that the shell completes for an option or an argument."""

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete(words: Callable[[], Iterable[str]]) -> _Complete:
    """Complete one of `words`. They are called only when a shell completes, because their modules load slowly."""

    def matching(context: click.Context, parameter: click.Parameter, start: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in words() if word.startswith(start)]

    return matching


def providers() -> list[str]:
    """The names of the providers."""
    from mock_server.providers.registry import PROVIDERS

    return [provider.name for provider in PROVIDERS]


def real_providers() -> list[str]:
    """The names of the providers whose real service can be called."""
    from mock_server.providers.registry import PROVIDERS

    return [provider.name for provider in PROVIDERS if provider.real]


def products() -> list[str]:
    """What can be read."""
    from mock_server.core.model import Product

    return list(Product)


def plate_regions() -> list[str]:
    """The regions whose plates can be drawn."""
    from mock_server.drawing.designs import DESIGNS

    return list(DESIGNS)


def vehicle_bodies() -> list[str]:
    """The vehicles that can be drawn."""
    from mock_server.drawing.designs import BODIES

    return list(BODIES)


def paints() -> list[str]:
    """The colours of drawn vehicles."""
    from mock_server.drawing.designs import PAINTS

    return list(PAINTS)


def places() -> list[str]:
    """The places of drawn scenes."""
    from mock_server.drawing.places import PLACES

    return list(PLACES)


def vin_styles() -> list[str]:
    """Where a drawn VIN can be."""
    from mock_server.drawing.vin_drawing import VIN_STYLES

    return list(VIN_STYLES)
