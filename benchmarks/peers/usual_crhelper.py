"""crhelper with boto3, as crhelper's README shows."""

import logging
from typing import Any

import boto3
from calls import change
from crhelper import CfnResource

logger = logging.getLogger(__name__)
helper = CfnResource(json_logging=False, log_level="DEBUG", boto_level="CRITICAL", sleep_on_delete=120, ssl_verify=None)

try:
    api = boto3.client("imagebuilder")
except Exception as error:  # noqa: BLE001 - as in the README
    helper.init_failure(error)


@helper.update
def update(event: dict[str, Any], _context: object) -> str:
    """Update."""
    logger.info("Got Update")
    helper.Data.update({"DateUpdated": change(api, event)})
    return str(event["PhysicalResourceId"])


def handler(event: dict[str, Any], context: object) -> None:
    """Let crhelper update and respond."""
    helper(event, context)
