"""The property schema is generated, and its golden copy shows what a botocore bump changes."""

import json
from pathlib import Path

from provider.properties.schema import schema

GOLDEN = Path(__file__).parents[2] / "docs" / "properties.schema.json"


def test_the_golden_schema_is_fresh() -> None:
    """docs/properties.schema.json is what the pinned botocore gives; `make schema` writes it anew."""
    assert json.loads(GOLDEN.read_text()) == schema()
