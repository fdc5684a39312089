"""The verb `schema`."""

import json

import click


@click.command()
@click.argument("kind", type=click.Choice(["scenario", "mock", "report"]), default="scenario")
def command(kind: str) -> None:
    """Print the JSON Schema of fixture files, or of the report.

    `scenario` and `mock` are for editors: of scenario files and of mock.yaml. `report` is of the rehearsal report. All
    are JSON Schema 2020-12.
    """
    from mock_server.client_models import adapter
    from mock_server.providers.registry import vocabulary
    from mock_server.report.document import Report
    from mock_server.scenarios.json_schema import mock_schema, scenario_schema

    if kind == "report":
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **adapter(Report).json_schema()}
    else:
        schema = (mock_schema if kind == "mock" else scenario_schema)(vocabulary())
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
