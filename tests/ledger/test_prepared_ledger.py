"""What a request of the ledger needs is loaded before the first request, in Lambda's init phase."""

import json
import os
import subprocess
import sys

import pytest

from provider.handler import LEDGER_TABLE

SCRIPT = """
import json, sys
from provider import provision
from provider.aws import client
provision.prepare()
loaded = "provider.ledger.recorded_owner" in sys.modules
print(json.dumps([loaded, client._client.cache_info().currsize]))
"""


@pytest.mark.parametrize(("table", "expected"), [("", [False, 1]), ("ledger", [True, 2])])
def test_a_provider_with_a_ledger_prepares_it(table: str, expected: list[object]) -> None:
    """Only a provider with a table loads the ledger and creates DynamoDB's client before the first request."""
    environment = {**os.environ, LEDGER_TABLE: table, "AWS_REGION": "us-east-1"}
    command = [sys.executable, "-c", SCRIPT]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert json.loads(ran.stdout) == expected
