"""The reference of all comparisons: a plain botocore client, and one PUT like that of AWS's cfn-response module."""

import json
from typing import Any

import urllib3
from botocore.session import get_session
from calls import change

api = get_session().create_client("imagebuilder")
http = urllib3.PoolManager()


def handler(event: dict[str, Any], _context: object) -> None:
    """Update and respond."""
    answer = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event["PhysicalResourceId"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"DateUpdated": change(api, event)},
    }
    http.request("PUT", event["ResponseURL"], headers={"content-type": ""}, body=json.dumps(answer))
