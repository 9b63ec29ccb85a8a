"""What tests of commands share: templates that are written for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.plans import KIND, Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a template with these resources, by logical ID: properties, or whole resources; gives its file."""

    def written(name: str = "stack.yaml", /, **resources: Any) -> Path:
        whole = {
            logical_id: one if "Type" in one else {"Type": KIND, "Properties": one}
            for logical_id, one in resources.items()
        }
        file = tmp_path / name
        file.write_text(json.dumps({"Resources": whole}), "utf-8")
        return file

    return written
