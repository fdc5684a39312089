"""An exchange as a document."""

from typing import Any

import orjson

from mock_server.admin.times import shown
from mock_server.core.journal import Exchange
from mock_server.core.near_misses import NearMiss


def exchange_document(exchange: Exchange) -> dict[str, Any]:
    """All that is recorded of an exchange, as JSON values."""
    return {
        "id": exchange.id,
        "time": shown(exchange.time),
        "provider": exchange.provider,
        "product": exchange.product,
        "key": exchange.key,
        "key_id": exchange.key_id,
        "account": exchange.account,
        "outcome": exchange.outcome.value if exchange.outcome else None,
        "scenario": exchange.scenario,
        "match": exchange.match.value,
        "charged": exchange.charged,
        "status": exchange.status,
        "milliseconds": exchange.milliseconds,
        "delay": exchange.delay,
        "fault": exchange.fault,
        "forced": exchange.forced,
        "detail": exchange.detail,
        "method": exchange.method,
        "path": exchange.path,
        "client": exchange.client,
        "source": exchange.source,
        "aliases": list(exchange.aliases),
        "notes": list(exchange.notes),
        "filename": exchange.filename,
        "url": exchange.url,
        "language": exchange.language,
        "image": _image(exchange),
        "nearest": [
            {
                "image": near.image,
                "distance": round(near.distance, 4),
                "limit": near.limit,
                "reason": near.reason,
                "region": list(near.region) if near.region else None,
            }
            for near in exchange.nearest
        ],
        "reply": _reply(exchange.reply),
    }


def near_miss_document(miss: NearMiss) -> dict[str, Any]:
    """A scenario that did not apply, as JSON values."""
    region = miss.region
    return {
        "scenario": miss.scenario,
        "distance": None if miss.distance is None else round(miss.distance, 4),
        "limit": miss.limit,
        "failed": list(miss.failed),
        "region": [region.xmin, region.ymin, region.xmax, region.ymax] if region else None,
        "reason": miss.reason,
    }


def _image(exchange: Exchange) -> dict[str, Any] | None:
    picture = exchange.picture
    if picture is None:
        return None
    return {
        "sha256": picture.sha256,
        "format": picture.format,
        "width": picture.width,
        "height": picture.height,
        "bytes": picture.byte_count,
    }


def _reply(body: bytes) -> Any:
    """The body as JSON; as text where it is none or was cut short."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace") or None
