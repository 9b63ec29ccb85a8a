"""What an owner allows, what conflicts, and what the reasons say."""

from typing import Any

import pytest

from provider.ledger.merge import in_order, judge, merged, values_in
from provider.ledger.parts import Part, withdraw
from provider.schema.merging import members_of
from tests.ledger.bodies import (
    ACCOUNT,
    ARN,
    NAME,
    OWNER,
    TEMPLATES,
    USER_IDS,
    accepted,
    content,
    event,
    proposed,
    replacing,
    team,
    template,
    users,
)

A, B = team("a"), team("b")
GOLDEN = accepted(OWNER, content(), [USER_IDS, TEMPLATES])


def reason(newcomer: Part, *others: Part) -> str:
    """Return why a newcomer is rejected; empty if it stands."""
    return judge([GOLDEN, *others], [newcomer], ACCOUNT).rejected.get(newcomer.owner, "")


def test_a_part_is_merged_into_the_owners_content() -> None:
    """The merge has the owner's content and the part's, with the list entries that both need."""
    parts = [GOLDEN, accepted(A, users("111111111111")), accepted(B, template("lt-00000000000000001"))]
    assert merged(parts, ACCOUNT) == {
        "distributions": [
            {
                "region": "us-east-1",
                "amiDistributionConfiguration": {"name": NAME, "launchPermission": {"userIds": ["111111111111"]}},
                "launchTemplateConfigurations": [{"launchTemplateId": "lt-00000000000000001"}],
            }
        ]
    }


def test_equal_values_are_shared() -> None:
    """Two parts may have equal values; the value stays until both are withdrawn."""
    parts = [GOLDEN, accepted(A, users("111111111111")), accepted(B, users("111111111111", "222222222222"))]
    assert reason(proposed(team("c"), users("111111111111")), *parts[1:]) == ""
    assert merged(parts[:2], ACCOUNT) == merged([GOLDEN, accepted(B, users("111111111111"))], ACCOUNT)


def test_a_default_equals_the_omitted_value() -> None:
    """An omitted member equals its default, and a template's account is the configuration's own if it is omitted."""
    one = accepted(A, template("lt-00000000000000001"))
    same = proposed(B, template("lt-00000000000000001", setDefaultVersion=True, accountId=ACCOUNT))
    assert reason(same, one) == ""
    other = proposed(B, template("lt-00000000000000001", setDefaultVersion=False))
    assert reason(other, one) == (
        'Distributions["us-east-1"].LaunchTemplateConfigurations["123456789012", "lt-00000000000000001"]'
        f".SetDefaultVersion conflicts: resource Part of stack {A.stack_id} has true (the default), and resource Part "
        f"of stack {B.stack_id} has false"
    )


def test_templates_of_two_accounts_are_two_entries() -> None:
    """The same launch template of another account is another entry."""
    one = accepted(A, template("lt-00000000000000001"))
    other = proposed(B, template("lt-00000000000000001", accountId="111111111111", setDefaultVersion=False))
    assert reason(other, one) == ""


def test_what_is_not_allowed_is_rejected() -> None:
    """The reason names the path, the owner, and what is allowed."""
    assert reason(proposed(A, content(targetAccountIds=["111111111111"]))) == (
        'Distributions["us-east-1"].AmiDistributionConfiguration.Name is not allowed by the owner, resource Golden of '
        f"stack {OWNER.stack_id}; it allows {USER_IDS}, {TEMPLATES}"
    )


def test_an_equal_scalar_outside_the_allowed_paths_is_rejected() -> None:
    """A part may not repeat a scalar outside the allowed paths, even with an equal value."""
    assert "AmiDistributionConfiguration.Name is not allowed" in reason(proposed(A, content()))


def test_an_unknown_region_is_rejected() -> None:
    """A Region that the owner does not have is rejected."""
    assert reason(proposed(A, users("111111111111", region="eu-west-1"))) == (
        'Distributions["eu-west-1"] does not exist in the owner, resource Golden of stack '
        f"{OWNER.stack_id}; it allows {USER_IDS}, {TEMPLATES}"
    )


def test_an_unknown_region_is_accepted_if_distributions_is_allowed() -> None:
    """With Distributions, a part may add a Region, which goes with the part."""
    golden = accepted(OWNER, content(), ["Distributions"])
    verdict = judge([golden], [proposed(A, content("eu-west-1"))], ACCOUNT)
    assert verdict.rejected == {}
    assert [entry["region"] for entry in (verdict.content or {})["distributions"]] == ["eu-west-1", "us-east-1"]


def test_without_contributions_there_are_no_parts() -> None:
    """A part of a configuration without an owner with Contributions is rejected."""
    newcomer = proposed(A, users("111111111111"))
    assert "no resource with Contributions owns" in judge([], [newcomer], ACCOUNT).rejected[A]
    closed = accepted(OWNER, content())
    assert f": resource Golden of stack {OWNER.stack_id} has none." in judge([closed], [newcomer], ACCOUNT).rejected[A]


@pytest.mark.parametrize(
    ("wanted", "allowed", "path"),
    [
        (content(), [TEMPLATES], 'Distributions["us-east-1"].AmiDistributionConfiguration.LaunchPermission'),
        (content("eu-west-1"), [USER_IDS], 'Distributions["us-east-1"]'),
        (content(), [], 'Distributions["us-east-1"].AmiDistributionConfiguration.LaunchPermission'),
    ],
)
def test_narrowing_below_what_parts_use_is_rejected(wanted: Any, allowed: list[str], path: str) -> None:
    """An owner that no longer allows a path, or drops a Region, that a part uses is rejected; the reason names both."""
    newcomer = replacing(GOLDEN, wanted, allowed)
    found = judge([GOLDEN, accepted(A, users("111111111111"))], [newcomer], ACCOUNT).rejected[OWNER]
    assert f"resource Part of stack {A.stack_id} uses {path}" in found


def test_an_owner_may_drop_a_region_that_parts_may_add() -> None:
    """If Distributions itself is allowed, the owner may drop a Region that a part uses."""
    golden = accepted(OWNER, content(), ["Distributions"])
    newcomer = replacing(golden, content("eu-west-1"), ["Distributions"])
    assert judge([golden, accepted(A, users("111111111111"))], [newcomer], ACCOUNT).rejected == {}


def test_the_owners_update_never_takes_a_parts_value() -> None:
    """An owner's update that conflicts with an accepted part is rejected."""
    part = accepted(A, template("lt-00000000000000001", setDefaultVersion=False))
    wanted = content()
    wanted["distributions"][0]["launchTemplateConfigurations"] = [{"launchTemplateId": "lt-00000000000000001"}]
    verdict = judge([GOLDEN, part], [replacing(GOLDEN, wanted, [TEMPLATES])], ACCOUNT)
    assert "SetDefaultVersion conflicts" in verdict.rejected[OWNER]
    assert verdict.content == merged([GOLDEN, part], ACCOUNT)


def test_a_limit_counts_each_owners_entries() -> None:
    """A newcomer that exceeds a limit is rejected; the reason says how many entries each owner has."""
    many = accepted(A, users(*(f"{number:012}" for number in range(1530))))
    assert reason(proposed(B, users(*(f"{number:012}" for number in range(1520, 1536)))), many) == ""
    assert reason(proposed(B, users(*(f"{number:012}" for number in range(1520, 1540)))), many) == (
        'Distributions["us-east-1"].AmiDistributionConfiguration.LaunchPermission.UserIds would have 1540 entries, and '
        f"Image Builder allows 1536: resource Part of stack {A.stack_id} has 1530, resource Part of stack {B.stack_id} "
        "has 20"
    )


def test_an_atomic_member_is_compared_as_a_whole() -> None:
    """Two different S3 exports in one Region conflict, even if their members do not."""
    golden = accepted(OWNER, content(), ["Distributions[].S3ExportConfiguration"])

    def export(**members: str) -> dict[str, Any]:
        return {"distributions": [{"region": "us-east-1", "s3ExportConfiguration": {"roleName": "r", **members}}]}

    one = accepted(A, export(s3Bucket="bucket"))
    verdict = judge([golden, one], [proposed(B, export(s3Bucket="bucket", s3Prefix="p"))], ACCOUNT)
    assert "S3ExportConfiguration conflicts" in verdict.rejected[B]


def test_a_newcomer_may_rely_on_what_another_gives_up() -> None:
    """A newcomer that conflicts only with what a later newcomer gives up stands."""
    one = accepted(A, template("lt-00000000000000001", setDefaultVersion=False))
    taking = proposed(B, template("lt-00000000000000001"), date=150)
    giving = replacing(one, template("lt-00000000000000002"), date=200)
    verdict = judge([GOLDEN, one], [taking, giving], ACCOUNT)
    assert [part.owner for part in verdict.standing] == [A, B]
    assert judge([GOLDEN, one], [taking, giving], ACCOUNT, refused=[A]).rejected.keys() == {B}


def test_newcomers_are_judged_in_their_order() -> None:
    """Withdrawals come first, then what is already live, then the others by revision."""
    gone = withdraw(accepted(team("c"), users("333333333333")), ARN, event(team("c"), 400, kind="Delete"), 400)
    late = proposed(A, template("lt-00000000000000001"), date=300)
    early = proposed(B, template("lt-00000000000000002"), date=200)
    live = judge([GOLDEN], [late], ACCOUNT).content or {}
    assert [part.owner for part in in_order([early, late, gone], live, ACCOUNT)] == [team("c"), A, B]
    assert [part.owner for part in in_order([late, early], content(), ACCOUNT)] == [B, A]


def test_the_highest_owner_counts() -> None:
    """An adopter's body replaces the previous owner's, and the parts stay."""
    adopter = accepted(B._replace(logical_id="Adopter"), content(targetAccountIds=["999999999999"]), [USER_IDS])
    adopter = adopter._replace(is_owner=True, rank=1)
    part = accepted(A, users("111111111111"))
    assert merged([GOLDEN, part, adopter], ACCOUNT) == merged([part, adopter], ACCOUNT)
    assert merged([GOLDEN, part, adopter._replace(is_retained=True)], ACCOUNT) == merged([GOLDEN, part], ACCOUNT)


def test_a_message_names_the_part_with_the_value() -> None:
    """The part whose value the service's message contains is found, also inside an atomic member."""
    part = accepted(A, template("lt-00000000000000001"))
    assert values_in("The launch template lt-00000000000000001 does not exist.", [GOLDEN, part], ACCOUNT) == (part,)
    assert values_in("Something else is wrong.", [GOLDEN, part], ACCOUNT) == ()


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (USER_IDS, ("distributions", "amiDistributionConfiguration", "launchPermission", "userIds")),
        ("Distributions", ("distributions",)),
        ("distributions[].launchTemplateConfigurations[]", ("distributions", "launchTemplateConfigurations")),
        ("Distributions[].AmiDistributionConfiguration.LaunchPermissionConfiguration", None),
        ("Description", ("description",)),
        ("Description[]", None),
        ("Tags", None),
        ("Name", None),
        ("Distributions.Nothing", None),
        ("", None),
    ],
)
def test_paths_are_read_as_users_write_them(written: str, found: tuple[str, ...] | None) -> None:
    """A path has the spellings of properties; one that names no property of the content is not found."""
    if written.endswith("LaunchPermissionConfiguration"):
        found = ("distributions", "amiDistributionConfiguration", "launchPermission")
    assert members_of(written) == found
