"""The provider's ledger: its table and its schedule, as in template.yaml. A test compares the two."""

from dataclasses import dataclass, field
from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk.aws_dynamodb import (
    Attribute,
    AttributeType,
    BillingMode,
    ITable,
    PointInTimeRecoverySpecification,
    Table,
    TableEncryption,
)
from aws_cdk.aws_events import Rule, RuleTargetInput, Schedule
from aws_cdk.aws_events_targets import LambdaFunction
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import Alias, EventInvokeConfig, Function
from constructs import Construct

from ..handler import SWEEP
from ..ledger.settings import DRIFT, MAX_REMOVALS, DriftMode
from ..ledger.table import EXPIRES, PARTITION_KEY, SORT_KEY
from ..resources import LEDGER_TABLE

_ALIAS: Final = "sweep"


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Settings of a provider's ledger, in which it records what each resource requested.

    `drift` is what sweeps do with configurations that were changed outside of CloudFormation. `max_account_removals` is
    the percentage of a source's accounts that a sweep may remove at once. `sweep_interval` is 5, 10, 15, 30, or 60
    minutes. `table` is an existing table with the string keys pk and sk, such as that of an earlier installation;
    without it, a table is created, which is retained when the stack is deleted.
    """

    drift: DriftMode = DriftMode.REPORT
    max_account_removals: int = 20
    sweep_interval: Duration = field(default_factory=lambda: Duration.minutes(15))
    table: ITable | None = None


def table_for(scope: Construct, ledger: Ledger, encryption_key: IKey | None) -> ITable:
    """Return the ledger's table, which is added to `scope` unless the ledger names one."""
    if ledger.table is not None:
        return ledger.table
    return Table(
        scope,
        "LedgerTable",
        partition_key=Attribute(name=PARTITION_KEY, type=AttributeType.STRING),
        sort_key=Attribute(name=SORT_KEY, type=AttributeType.STRING),
        billing_mode=BillingMode.PAY_PER_REQUEST,
        time_to_live_attribute=EXPIRES,
        point_in_time_recovery_specification=PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
        encryption=TableEncryption.CUSTOMER_MANAGED if encryption_key else None,
        encryption_key=encryption_key,
        # It outlives the provider, because other stacks have parts in it.
        removal_policy=RemovalPolicy.RETAIN,
    )


def variables(ledger: Ledger, table: ITable) -> dict[str, str]:
    """Return the environment variables of a provider with a ledger."""
    return {
        LEDGER_TABLE: table.table_name,
        DRIFT: ledger.drift.value,
        MAX_REMOVALS: str(ledger.max_account_removals),
    }


def add_sweeps(scope: Construct, ledger: Ledger, function: Function) -> Alias:
    """Add the schedule to `scope`. Returns the alias that it invokes.

    No failed invocation of the alias is retried, or reaches the last-resort function.
    """
    alias = Alias(
        scope,
        "SweepAlias",
        description="The ledger's schedule",
        alias_name=_ALIAS,
        version=function.latest_version,
    )
    settings = EventInvokeConfig(
        scope,
        "SweepInvokeConfig",
        function=function,
        qualifier=_ALIAS,
        max_event_age=Duration.minutes(5),
        retry_attempts=0,
    )
    settings.node.add_dependency(alias)
    Rule(
        scope,
        "SweepSchedule",
        description="Repairs what requests left behind in the ledger, and finds drift",
        schedule=Schedule.rate(ledger.sweep_interval),
        targets=[LambdaFunction(alias, event=RuleTargetInput.from_object(SWEEP))],
    )
    return alias
