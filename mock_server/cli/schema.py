"""The verb `schema`."""

import json
from enum import StrEnum
from typing import Annotated

import typer


class Kind(StrEnum):
    """What can be described."""

    SCENARIO = "scenario"
    MOCK = "mock"


def command(
    kind: Annotated[Kind, typer.Argument(help="Scenario files, or mock.yaml.")] = Kind.SCENARIO,
) -> None:
    """Print the JSON Schema (2020-12) of scenario files or of mock.yaml, for editors."""
    from mock_server.app import vocabulary
    from mock_server.scenarios.json_schema import mock_schema, scenario_schema

    schema = {Kind.SCENARIO: scenario_schema, Kind.MOCK: mock_schema}[kind](vocabulary())
    typer.echo(json.dumps(schema, indent=2, ensure_ascii=False))
