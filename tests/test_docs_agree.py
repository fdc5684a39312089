"""The documents agree with the code: options, their defaults and words, keys of fixture files, rules of advice."""

import re
from collections.abc import Callable, Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import click
import pytest

from mock_server.cli.verbs import VERBS, command_line
from mock_server.core.field_types import JsonSchema
from mock_server.providers.registry import vocabulary
from mock_server.report.advice import TEXTS
from mock_server.scenarios.json_schema import mock_schema, scenario_schema
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.settings import Settings, flag_of

ROOT = Path(__file__).parent.parent
DOCUMENTS = {
    path.name: path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
}
SETTINGS = [setting for setting in fields(Settings) if setting.name != "fixtures"]


def _row(flag: str) -> list[str]:
    """The cells of a flag's row in the table of settings."""
    (row,) = re.findall(rf"^\| `{flag}`.*\|$", DOCUMENTS["reference.md"], re.MULTILINE)
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_has_the_default_and_the_words_of_its_row(setting: "Field[Any]") -> None:
    """The table of settings is the one of the code."""
    flag, default, *meaning = _row(flag_of(setting.name))
    expected = ("on" if setting.default else "off") if setting.type is bool else str(setting.default)
    words = setting.metadata.get("choices", ())

    assert default.strip("`") == expected
    assert [word for word in words if f"`{word}`" not in " ".join([default, *meaning])] == []
    assert "--no-" not in flag or setting.type is bool


def _options() -> Iterator[tuple[str, str]]:
    """The options of the verbs that are no settings."""
    known = {flag_of(setting.name) for setting in fields(Settings)}
    context = click.Context(command_line)
    for verb in VERBS:
        pending = [(verb, command_line.get_command(context, verb))]
        while pending:
            name, command = pending.pop()
            assert command is not None
            if isinstance(command, click.Group):
                pending += [(f"{name} {sub}", one) for sub, one in command.commands.items()]
            for parameter in command.params:
                names = [option for option in parameter.opts if option.startswith("--")]
                yield from ((name, option) for option in names if option not in known)


@pytest.mark.parametrize(("verb", "option"), sorted(set(_options())))
def test_an_option_is_documented(verb: str, option: str) -> None:
    """Every option of a verb stands in a document, beside the setting's table."""
    assert any(re.search(rf"{option}\b", text) for text in DOCUMENTS.values())


def _keys(node: object) -> Iterator[str]:
    """The keys that a JSON Schema knows."""
    if isinstance(node, dict):
        if isinstance(properties := node.get("properties"), dict):
            yield from properties
        for part in node.values():
            yield from _keys(part)
    elif isinstance(node, list):
        for part in node:
            yield from _keys(part)


@pytest.mark.parametrize("schema", [scenario_schema, mock_schema])
def test_a_key_of_fixture_files_is_documented(schema: Callable[[Vocabulary], JsonSchema]) -> None:
    """Every key of the JSON Schema stands in the guide to scenarios, or is a setting."""
    # `anyOf` belongs to JSON Schema itself.
    settings = {spelt for setting in fields(Settings) for spelt in (setting.name, setting.name.replace("_", "-"))}
    keys = set(_keys(schema(vocabulary()))) - settings - {"anyOf"}

    assert len(keys) > 10
    assert [key for key in keys if not re.search(rf"\b{re.escape(key)}\b", DOCUMENTS["scenarios.md"])] == []


def test_rules_of_advice_are_documented() -> None:
    """Each rule has a section with its level, in the order of the code; no other rule has one."""
    advice = DOCUMENTS["report.md"].partition("## Advice\n")[2].partition("\n## ")[0]
    sections = re.findall(r"^### (\S+)\n(.*?)(?=^### |\Z)", advice, re.MULTILINE | re.DOTALL)

    assert [(name, re.findall(r"Level ([A-Z])\b", text)) for name, text in sections] == [
        (name, [texts["level"]]) for name, texts in TEXTS.items()
    ]
