"""Scenario files as text, written as a user writes them."""

import json
import re
from collections.abc import Mapping, Sequence

from mock_server.imaging.geometry import Box

Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"]
"""What a fixture file can hold."""

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ %-]*")


def scenario_text(
    name: str,
    when: Mapping[str, Value],
    reading: Mapping[str, Value],
    *,
    description: str = "",
    then: Sequence[Mapping[str, Value]] = (),
) -> str:
    """The text of a scenario file, written as people write it."""
    lines = [f"scenario: {name}"]
    if description:
        lines.append(f"description: {_flow(description)}")
    lines += ["when:", *_block(when, "  ")]
    if reading:
        lines += ["reading:", *_nested(reading)]
    if then:
        lines += ["then:", *(f"  - {_flow(step)}" for step in then)]
    return "\n".join(lines) + "\n"


def _nested(reading: Mapping[str, Value]) -> list[str]:
    """The reading with each plate and the VIN spread over lines."""
    lines: list[str] = []
    for key, value in reading.items():
        if isinstance(value, Mapping):
            lines += [f"  {key}:", *_block(value, "    ")]
        elif isinstance(value, list):
            lines.append(f"  {key}:")
            for each in value:
                first, *rest = _block(each, "      ")
                lines += ["    - " + first.strip(), *rest]
        else:
            lines.append(f"  {key}: {_flow(value)}")
    return lines


def corners(box: Box) -> list[Value]:
    """A box as fixture files give it."""
    return [box.xmin, box.ymin, box.xmax, box.ymax]


def _block(values: Mapping[str, Value], indent: str) -> list[str]:
    return [f"{indent}{key}: {_flow(value)}" for key, value in values.items()]


def _flow(value: Value) -> str:
    """The value on one line; text is quoted where YAML would not read it as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return (
            value
            if _PLAIN.fullmatch(value) and not value.endswith(" ")
            else json.dumps(value, ensure_ascii=False)
        )
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return str(value)
