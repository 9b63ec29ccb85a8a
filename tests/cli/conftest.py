"""Fixtures for the tests of commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.plans import RESOURCE_TYPE, Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a template with these resources (properties or whole resources, by logical ID), and returns its file."""

    def written(name: str = "stack.yaml", /, **resources: Any) -> Path:
        whole = {
            logical_id: one if "Type" in one else {"Type": RESOURCE_TYPE, "Properties": one}
            for logical_id, one in resources.items()
        }
        file = tmp_path / name
        file.write_text(json.dumps({"Resources": whole}), "utf-8")
        return file

    return written
