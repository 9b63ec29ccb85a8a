"""The pull request that updates botocore lists the fields that it changes."""

import copy
import json
import subprocess
import sys
from pathlib import Path

from provider.build.upgrade_notes import notes, pins, properties

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs" / "properties.schema.json").read_text("utf-8"))
PACKAGES = {"botocore": "1.44.5 -> 1.45.0"}


def test_all_properties_are_compared() -> None:
    """The compared properties include those of the resource and those of nested structures."""
    names = properties(SCHEMA)
    assert "Distributions" in names
    assert any(name.endswith(".S3ExportConfiguration") for name in names)


def test_new_removed_and_changed_fields_are_listed() -> None:
    """Fields that are new, removed, or different are listed by their structure, and nothing else is."""
    later = copy.deepcopy(SCHEMA)
    structure = later["$defs"]["AmiDistributionConfiguration"]["anyOf"][0]["properties"]
    structure["Encryption"] = {"type": "string"}
    del structure["Description"]
    later["properties"]["Name"]["description"] = "Another text."
    text = notes(SCHEMA, later, PACKAGES, "failure")
    assert text.splitlines()[:11] == [
        "### New fields",
        "",
        "- `AmiDistributionConfiguration.Encryption`",
        "",
        "### Removed fields",
        "",
        "- `AmiDistributionConfiguration.Description`",
        "",
        "### Fields that changed",
        "",
        "- `Name`",
    ]
    assert "- botocore: 1.44.5 -> 1.45.0" in text
    assert text.endswith("`make test`: **failure**.")


def test_no_change_is_said() -> None:
    """If the fields are the same, the notes say so."""
    assert notes(SCHEMA, SCHEMA, PACKAGES, "success").startswith("No field changed.\n")


def test_the_lock_file_of_what_is_deployed_is_read() -> None:
    """The versions of the deployed packages are those in their lock file."""
    found = pins((ROOT / "provider" / "build" / "lambda.lock").read_text("utf-8"))
    assert {"boto3", "botocore", "crhelper"} <= found.keys()
    assert found["botocore"].count(".") == 2


def test_the_command_of_the_workflow_works() -> None:
    """In a checkout, the command prints the notes with the outcome of the tests."""
    command = [sys.executable, "-m", "provider.build.upgrade_notes", "success"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "### Deployed packages" in ran.stdout
    assert "`make test`: **success**." in ran.stdout
