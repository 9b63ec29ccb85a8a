"""crhelper with boto3 and Powertools' Logger and Metrics, as their READMEs show."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from calls import change
from crhelper import CfnResource

logger = Logger(service="distribution")
metrics = Metrics(namespace="Distribution", service="distribution")
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
    metrics.add_metric(name="Updated", unit=MetricUnit.Count, value=1)
    return str(event["PhysicalResourceId"])


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: Any) -> None:
    """Let crhelper update and respond."""
    helper(event, context)
