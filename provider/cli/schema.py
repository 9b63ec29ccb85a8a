"""`schema`: the JSON Schema of the resource's properties."""

import json

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of the resource's Properties.

    It is read from the service model of the botocore that is installed. docs/properties.schema.json is a copy
    of it; an editor that validates YAML by schemas can use it for the Properties block.
    """
    from provider.properties.schema import schema as made

    click.echo(json.dumps(made(), indent=2))
