"""Scenarios as documents of fixture files, and documents as YAML text."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from enum import Enum
from typing import Any

import yaml

from mock_server.core.conditions import Conditions
from mock_server.core.delay import Delay, Fixed, Lognormal, Uniform
from mock_server.core.model import Dribble
from mock_server.core.reading import OMITTED, Reading
from mock_server.core.scenario import Scenario, Step
from mock_server.core.serialization import default_of
from mock_server.core.written_reply import WrittenReply
from mock_server.imaging.geometry import Box

_MOST_DECIMALS = 9
"""Decimals that a duration in a fixture file may have."""


def scenario_document(scenario: Scenario) -> dict[str, Any]:
    """The document of a scenario, with the values that its author left out."""
    return {
        "scenario": scenario.name,
        "description": scenario.description,
        "priority": scenario.priority,
        "when": _when(scenario.when),
        "reading": _reading(scenario.reading),
        "then": [step_document(step) for step in scenario.steps],
        "repeat": "cycle" if scenario.cycle else "last",
    }


def step_document(step: Step) -> dict[str, Any]:
    """The document of a step, without fields that are empty. Beside a written reply, an outcome has no meaning."""
    document = _fields(step)
    if step.chance is not None:
        document["chance"] = percentage_text(step.chance)
    return {name: value for name, value in document.items() if name != "outcome"} if step.reply else document


def delay_document(delay: Delay) -> Any:
    """A delay as fixture files have it."""
    match delay:
        case Uniform(low, high):
            return {"uniform": [_duration(low), _duration(high)]}
        case Dribble(chunks, seconds):
            return {"dribble": {"chunks": chunks, "over": _duration(seconds)}}
        case Lognormal(median, sigma, longest):
            limit = {} if longest is None else {"max": _duration(longest)}
            return {"lognormal": {"median": _duration(median), "sigma": sigma, **limit}}
        case Fixed(seconds):
            return _duration(seconds)


def percentage_text(share: float) -> str:
    """A share (0 to 1) as fixture files have it."""
    return f"{_decimal(share, 2)}%"


def corners(box: Box) -> list[int]:
    """A box as fixture files give it."""
    return [box.xmin, box.ymin, box.xmax, box.ymax]


def _when(when: Conditions) -> dict[str, Any]:
    document = _fields(when)
    images = document.pop("images", None)
    return {"image": images, **document} if images else document


def _reading(reading: Reading) -> dict[str, Any]:
    document = _fields(reading)
    plates = document.pop("plates", [])
    if len(plates) == 1:
        return {"plate": plates[0], **document}
    return {"plates": plates, **document} if plates else document


def _plain(value: Any) -> Any:
    """A value of the core as a fixture file has it."""
    match value:
        case Box():
            return corners(value)
        case Fixed() | Uniform() | Lognormal() | Dribble():
            return delay_document(value)
        case Enum():
            return value.value
        case WrittenReply():
            return _reply(value)
        case None | str() | int() | float():
            return value
        case tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return dict(value)
        case _:
            return _fields(value)


def _reply(reply: WrittenReply) -> dict[str, Any]:
    """The body as text, so that the document needs no file; the file's path if the body is not text."""
    document = _fields(replace(reply, body=b"", body_file=None))
    if reply.text:
        document["body"] = reply.text
    elif reply.text is None and reply.body_file is not None:
        document["body_file"] = reply.body_file
    return document


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass; a field that is empty, as it is by default, is left out."""
    found = {field.name: getattr(value, field.name) for field in fields(value)}
    empty = {field.name for field in fields(value) if not found[field.name] and found[field.name] == default_of(field)}
    document = {name: _plain(item) for name, item in found.items() if name not in empty}
    for name in document.pop("omitted", ()):
        document[name] = OMITTED
    return document


def _duration(seconds: float) -> str:
    text = _decimal(seconds)
    is_fine = len(text.partition(".")[2]) > _MOST_DECIMALS
    return f"{_decimal(seconds, 3)}ms" if seconds < 1 or is_fine else f"{text}s"


def _decimal(number: float, shift: int = 0) -> str:
    """A number that is multiplied by 10 to the power of `shift`, with all its digits and no exponent."""
    text = f"{Decimal(repr(number)).scaleb(shift):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"]
"""What a fixture file can hold."""
LINE_LENGTH = 110
"""Characters of a line in a file that people edit."""
_RARE_LINE_BREAKS = frozenset("\r\x85\u2028\u2029")


class _Dumper(yaml.SafeDumper):
    """Indents lists, and writes equal values each in full, not as references to the first one."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Text. PyYAML folds the rarer line breaks as it folds spaces, except in double quotes."""
        style = '"' if _RARE_LINE_BREAKS & set(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.represent_text)


def yaml_text(document: Mapping[str, Any], *, width: float = LINE_LENGTH) -> str:
    """A document as YAML; lists and mappings of plain values stand on one line, of at most `width` characters."""
    text: str = yaml.dump(
        document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=width
    )
    return text
