"""The AWS CLI makes the same Update with one command, and sends no response."""

import json
import sys
from typing import Any

from awscli.clidriver import main
from calls import parameters


def handler(event: dict[str, Any], _context: object) -> None:
    """Run the command in this process."""
    command = ["imagebuilder", "update-distribution-configuration", "--cli-input-json", json.dumps(parameters(event))]
    sys.argv = ["aws", *command]
    if code := main():
        raise SystemExit(code)
