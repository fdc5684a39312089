"""The verb `schema`."""

import json

import click


@click.command()
@click.argument("kind", type=click.Choice(["scenario", "mock"]), default="scenario")
def command(kind: str) -> None:
    """Print the JSON Schema (2020-12) of scenario files or of mock.yaml, for editors."""
    from mock_server.providers.registry import vocabulary
    from mock_server.scenarios.json_schema import mock_schema, scenario_schema

    schema = (mock_schema if kind == "mock" else scenario_schema)(vocabulary())
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
