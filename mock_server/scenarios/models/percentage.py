"""Shares of calls, written as percentages."""

import re
from decimal import Decimal
from typing import Annotated

from mock_server.scenarios.models.field_types import JsonSchema, Scalar, expected, scalar_text

_PATTERN = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")


def _share(value: object) -> float:
    text = scalar_text(value)
    parts = _PATTERN.fullmatch(text) if text is not None else None
    if parts is None or Decimal(parts[1]) > 100:
        raise expected("a percentage from 0% to 100%, such as 10% or 0.5%")
    return float(Decimal(parts[1]) / 100)


_SCHEMA: JsonSchema = {
    "type": "string",
    "pattern": r"^(100(\.0{1,9})?|[0-9]{1,2}(\.[0-9]{1,9})?) ?%$",
    "examples": ["10%", "0.5%"],
}
_PERCENTAGE = Scalar(_share, _SCHEMA)
Percentage = Annotated[float, _PERCENTAGE]
OptionalPercentage = Annotated[float | None, _PERCENTAGE]
