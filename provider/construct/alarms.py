"""The provider's alarms, as in template.yaml. A test compares the two."""

from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, IMetric, TreatMissingData
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_logs import ILogGroup
from aws_cdk.aws_sns import ITopic
from aws_cdk.aws_sqs import IQueue
from constructs import Construct

_MINUTE: Final = Duration.minutes(1)


def add_alarms(
    scope: Construct,
    *,
    function: IFunction,
    last_resort: IFunction,
    queue: IQueue,
    log_group: ILogGroup,
    timeout: Duration,
    topic: ITopic | None,
) -> None:
    """Add alarms to `scope` for the two functions and the queue of unanswered requests. They notify `topic`."""
    stack, log = Stack.of(scope).stack_name, log_group.log_group_name

    def add(
        name: str, metric: IMetric, description: str, threshold: float = 1, out_of: int = 1, at_least: int = 1
    ) -> None:
        alarm = Alarm(
            scope,
            f"{name}Alarm",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=out_of,
            datapoints_to_alarm=at_least if out_of > 1 else None,
            comparison_operator=ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=TreatMissingData.NOT_BREACHING,
        )
        if topic is not None:
            alarm.add_alarm_action(SnsAction(topic))

    add(
        "Unanswered",
        queue.metric_approximate_number_of_messages_visible(period=_MINUTE, statistic="Maximum"),
        f"Neither function of {stack} could respond to a CloudFormation request. The requesting stack waits until its "
        f"ServiceTimeout expires. The request is in the queue {queue.queue_name}; the reasons are in the log group "
        f"{log}.",
    )
    add(
        "LastResort",
        last_resort.metric_invocations(period=_MINUTE, statistic="Sum"),
        f"The provider in {stack} crashed, timed out, or was throttled, so its last-resort function was invoked. The "
        f"reasons are in the log group {log}.",
    )
    add(
        "Errors",
        function.metric_errors(period=_MINUTE, statistic="Sum"),
        f"{stack} crashed, timed out, or could not deliver a response. Lambda retries once; then the "
        f"last-resort function responds. The reasons are in the log group {log}.",
    )
    add(
        "Throttles",
        function.metric_throttles(period=_MINUTE, statistic="Sum"),
        f"Requests to {stack} wait because the account's Lambda functions have used up its concurrency. A request "
        "fails after ten minutes.",
        out_of=5,
        at_least=3,
    )
    add(
        "Duration",
        function.metric_duration(period=_MINUTE, statistic="Maximum"),
        f"A request to {stack} took at least 70% of its {timeout.to_seconds()} seconds, and may have run out of time. "
        f"The usual cause is throttling or no response from Image Builder; see the log group {log}.",
        threshold=timeout.to_milliseconds() * 7 / 10,
    )
