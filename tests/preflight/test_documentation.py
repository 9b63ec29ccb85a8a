"""docs/preflight.md is generated from the rows."""

from provider.preflight.checks import CHECKS
from provider.preflight.documentation import policy
from provider.preflight.interface import action_of
from provider.schema.model import distribution_configuration
from tests.preflight.docs import PAGE, with_parts


def test_the_page_is_current() -> None:
    """The policy and the table in docs/preflight.md are those of the rows; `make docs` writes them."""
    text = PAGE.read_text("utf-8")
    assert all(f"`{check.id}`" in text for check in CHECKS)
    assert text == with_parts(text)


def test_the_policy_allows_what_the_checks_read() -> None:
    """The policy has the actions of all rows, what the command itself reads, and nothing else."""
    allowed: set[str] = set()
    for statement in policy()["Statement"]:
        actions = statement["Action"]
        allowed |= {actions} if isinstance(actions, str) else set(actions)
    needed = {action_of(operation) for check in CHECKS for operation in check.reads} - {"sts:GetCallerIdentity"}
    assert allowed == needed | {"imagebuilder:GetDistributionConfiguration"}


def test_the_policy_only_reads() -> None:
    """No action of the policy changes anything."""
    reading = ("Get", "List", "Describe", "Simulate", "Assume")
    for statement in policy()["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all(action.partition(":")[2].startswith(reading) for action in actions)


def test_rows_have_ids_of_their_own() -> None:
    """The ID of a row is unique: it is the rule's ID in SARIF."""
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_rows_apply_to_what_the_service_has() -> None:
    """Each name in a row is a member or a shape of the service model."""
    names: set[str] = set()
    pending = [distribution_configuration()]
    while pending:
        schema = pending.pop()
        names |= {schema.shape, *schema.members}
        pending += [*schema.members.values(), *([schema.item] if schema.item else [])]
    assert {name for check in CHECKS for name in check.applies_to} <= names
