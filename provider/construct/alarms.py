"""The provider's alarms, as in template.yaml. A test compares the two."""

from functools import partial
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, IMetric, TreatMissingData
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_logs import FilterPattern, ILogGroup, MetricFilter
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
    has_sweeps: bool,
) -> None:
    """Add alarms to `scope` for the two functions and the queue of unanswered requests. They notify `topic`.

    With `has_sweeps`, those for requests ignore invocations of the function's aliases.
    """
    name = function.function_name
    dimensions = {"FunctionName": name, "Resource": name} if has_sweeps else {"FunctionName": name}
    stack, log = Stack.of(scope).stack_name, log_group.log_group_name
    add = partial(_add, scope, topic)
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
        function.metric_errors(dimensions_map=dimensions, period=_MINUTE, statistic="Sum"),
        f"{stack} crashed, timed out, or could not deliver a response. Lambda retries once; then the "
        f"last-resort function responds. The reasons are in the log group {log}.",
    )
    add(
        "Throttles",
        function.metric_throttles(dimensions_map=dimensions, period=_MINUTE, statistic="Sum"),
        f"Requests to {stack} wait because the account's Lambda functions have used up its concurrency. A request "
        "fails after ten minutes.",
        out_of=5,
        at_least=3,
    )
    add(
        "Duration",
        function.metric_duration(dimensions_map=dimensions, period=_MINUTE, statistic="Maximum"),
        f"A request to {stack} took at least 70% of its {timeout.to_seconds()} seconds, and may have run out of time. "
        f"The usual cause is throttling or no response from Image Builder; see the log group {log}.",
        threshold=timeout.to_milliseconds() * 7 / 10,
    )


def add_ledger_alarms(scope: Construct, sweeps: IFunction, log_group: ILogGroup, topic: ITopic | None) -> None:
    """Add alarms to `scope` for `sweeps`, the function's alias, and for what the log says. They notify `topic`."""
    stack, log = Stack.of(scope).stack_name, log_group.log_group_name

    def add(name: str, pattern: str, description: str) -> None:
        found = MetricFilter(
            scope,
            f"{name}Filter",
            log_group=log_group,
            filter_pattern=FilterPattern.literal(pattern),
            metric_namespace=f"ImageBuilderDistribution/{stack}",
            metric_name=name,
            metric_value="1",
        )
        _add(scope, topic, name, found.metric(period=Duration.minutes(5), statistic="Sum"), description)

    add(
        "FailedSweeps",
        '{ ($.message = "sweep failed") || ($.message = "sweep" && $.level = "WARNING") '
        '|| ($.message = "account sources could not be resolved") }',
        f"A sweep of the ledger of {stack} failed for at least one configuration, or account sources could not be "
        "resolved, so that their last accounts stay in effect. Until a sweep succeeds, late or interrupted writes are "
        f"not repaired. The reasons are in the log group {log}.",
    )
    _add(
        scope,
        topic,
        "SweepErrors",
        sweeps.metric_errors(period=Duration.minutes(5), statistic="Sum"),
        f"A sweep of the ledger of {stack} crashed or timed out. No stack waits for it, and the next sweep tries "
        f"again. The reasons are in the log group {log}.",
    )
    add(
        "Drift",
        '{ $.message = "drift" }',
        f"A sweep of {stack} found a configuration that was changed outside of CloudFormation. The differences are in "
        f"the log group {log}. A deployment overwrites them, and so does the command `drift ARN --repair`.",
    )
    add(
        "HeldRemovals",
        '{ $.message = "removals held" }',
        f"An account source of {stack} has lost more accounts than MaxAccountRemovals allows, so that they stay in the "
        f"configuration. The accounts are in the log group {log}. To remove them, run "
        "`owners ARN --confirm-removals`, or deploy a change of the resource.",
    )


def _add(
    scope: Construct,
    topic: ITopic | None,
    name: str,
    metric: IMetric,
    description: str,
    *,
    threshold: float = 1,
    out_of: int = 1,
    at_least: int = 1,
) -> None:
    """Add an alarm that fires if the metric reaches the threshold in `at_least` of the last `out_of` periods."""
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
