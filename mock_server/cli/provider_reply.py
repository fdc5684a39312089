"""Readings from replies of the real providers, for the verb `add`; and the provider that a verb names."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mock_server.suggest import quoted, suggest

if TYPE_CHECKING:
    from mock_server.providers.provider import ExampleCall, Provider, ReadingDocument, RealService

_MOST_SHOWN = 300  # characters of a reply


def named_provider(name: str) -> "tuple[Provider, RealService]":
    """The provider of a name, and its real service. Raises UsageError."""
    from mock_server.providers.registry import PROVIDERS

    known = {provider.name: (provider, provider.real) for provider in PROVIDERS}
    provider, service = known.get(name, (None, None))
    if provider is None or service is None:
        hint = suggest(name, [other for other, (_, service) in known.items() if service])
        raise click.UsageError(f"there is no provider {quoted(name)} to call; {hint}".rstrip("; "))
    return provider, service


def stored_reading(path: Path, product: str | None) -> "ReadingDocument":
    """The reading of a stored reply of any provider. Raises ClickException."""
    from mock_server.core.model import Product
    from mock_server.providers.registry import PROVIDERS

    try:
        reply = json.loads(path.read_bytes())
    except ValueError:
        raise click.ClickException(f"{path} is not JSON") from None
    for provider in PROVIDERS:
        if provider.real is None or not isinstance(reply, dict):
            continue
        reading = provider.real.reading(reply, Product(product) if product else None)
        if reading is not None:
            return reading
    names = " or ".join(provider.title for provider in PROVIDERS)
    raise click.ClickException(f"{path} is not a reply of {names} with a reading")


def asked_reading(
    name: str, image: Path, product: str, *, base_url: str | None, image_url: str | None, is_confirmed: bool
) -> "ReadingDocument":
    """The reading of the reply to one call with the picture. Raises ClickException.

    The call and its cost are shown first, and the user is asked unless `is_confirmed`. The key is never shown.
    """
    from mock_server.core.model import Product
    from mock_server.fetch.provider_call import call_provider

    provider, service = named_provider(name)
    key = os.environ.get(service.key_variable, "").strip()
    if not key:
        raise click.UsageError(f"set {service.key_variable} to your key of {provider.title}")
    base_url, data = base_url or service.base_url, image.read_bytes()
    call = provider.example_call(Product(product), key, image_url or base64.b64encode(data).decode())
    click.echo(f"{image} is sent once to {base_url}{call.path}, with the key in {service.key_variable}.", err=True)
    click.echo(f"This costs {service.cost}.", err=True)
    if not is_confirmed:
        click.confirm("Send it?", abort=True, err=True)
    reply = call_provider(base_url, call.path, query=call.query, headers=call.headers, **_body(call, image, data))
    document = reply.json
    reading = service.reading(document, Product(product)) if isinstance(document, dict) else None
    if reading is None:
        shown = reply.body.decode("utf-8", "replace").replace(key, "…")[:_MOST_SHOWN]
        raise click.ClickException(f"{provider.title} answered {reply.status}, which is no reading: {shown}")
    return reading


def _body(call: "ExampleCall", image: Path, data: bytes) -> dict[str, Any]:
    if call.upload is None:
        return {"json": call.json}
    from mock_server.http.reply import media_type_of
    from mock_server.imaging.open_image import inspect

    return {"files": {call.upload: (image.name, data, media_type_of(inspect(data).format))}}


def remove_unfit_boxes(reading: "ReadingDocument", size: tuple[int, int]) -> Iterator[str]:
    """Remove the boxes that do not fit a picture of this size. Yields the text or the type of vehicle of each."""
    width, height = size
    box = reading.get("box")
    if isinstance(box, list) and not (0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height):
        del reading["box"]
        yield reading.get("text") or reading.get("type") or "a text"
    for part in reading.values():
        for inner in part if isinstance(part, list) else [part]:
            if isinstance(inner, dict):
                yield from remove_unfit_boxes(inner, size)
