"""Sources in lists of account IDs: names, constraints, and what replaces them."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.resources import resource_type
from provider.schema.account_sources import Source, find_sources, with_accounts
from provider.schema.check import validate_properties
from provider.schema.diff import differences
from provider.schema.expand import expand
from provider.schema.finding import Path, Severity, Spelling
from provider.schema.flatten import flatten
from provider.schema.model import VARIANTS, Schema
from tests.stack import ami

SCHEMA = resource_type().schema
RULES = resource_type().rules
LIST = "Distributions[0].AmiDistributionConfiguration.TargetAccountIds"
PATH = ("distributions", 0, "amiDistributionConfiguration", "targetAccountIds")
UNIT = {"OrganizationalUnit": "ou-ab12-11111111"}
PARAMETER = {"Parameter": "/images/accounts"}
ACCOUNTS = st.integers(0, 40).map("{:012}".format)


def targets(*entries: object) -> dict[str, Any]:
    """Return properties with these target accounts."""
    return {"Name": "golden", "Distributions": [ami(TargetAccountIds=[*entries])]}


def errors(properties: dict[str, Any]) -> list[str]:
    """Return the errors about properties as lines."""
    spelling = Spelling(properties, SCHEMA)
    found = validate_properties(expand(properties, SCHEMA), RULES)
    return [spelling.render(one) for one in found if one.severity is Severity.ERROR]


@pytest.mark.parametrize(
    "source",
    [
        UNIT,
        {"OrganizationalUnit": "r-ab12", "Except": ["222233334444"]},
        {"organizationalUnit": "ou-ab12-11111111", "except": ["222233334444"]},
        PARAMETER,
        {"parameter": "accounts"},
        {"Parameter": "/images/accounts:3"},
        {"Parameter": "arn:aws:ssm:us-east-1:123456789012:parameter/images/accounts"},
    ],
)
def test_a_source_is_accepted_in_each_list_of_accounts(source: dict[str, Any]) -> None:
    """Each list of account IDs accepts sources of accounts, in both spellings, beside account IDs."""
    assert errors(targets(source)) == []
    assert errors(targets("111122223333", source)) == []
    assert errors({"Name": "golden", "Distributions": [ami(LaunchPermission={"UserIds": [source]})]}) == []


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"OrganizationUnit": "r-ab12"}, ".OrganizationUnit: unknown property; did you mean OrganizationalUnit?"),
        ({"organizationUnit": "r-ab12"}, ".organizationUnit: unknown property; did you mean organizationalUnit?"),
        ({"Parameter": "a", "parameter": "b"}, ".Parameter: specified twice, as Parameter and parameter; remove one"),
        ({}, ": specify either OrganizationalUnit or Parameter"),
        ({**UNIT, **PARAMETER}, ": specify either OrganizationalUnit or Parameter, not both"),
        ({**PARAMETER, "Except": ["222233334444"]}, ".Except: is valid only with OrganizationalUnit"),
        ({**UNIT, "Except": []}, ".Except: must have at least 1 entry, but has 0"),
        ({**UNIT, "Except": ["1"]}, '.Except[0]: must be 12 digits, including leading zeros, not "1"'),
        ({**UNIT, "Except": [UNIT]}, ".Except[0]: must be a string, not a mapping"),
        ({"OrganizationalUnit": ["a"]}, ".OrganizationalUnit: must be a string, not a list"),
        (
            {"OrganizationalUnit": "ou-ab12-11111111\n"},
            ".OrganizationalUnit: must be the ID of an organizational unit (ou-...) or of a root (r-...), "
            r'not "ou-ab12-11111111\n"; remove the trailing line break',
        ),
        ({"Parameter": "a b"}, '.Parameter: must be the name or the ARN of an SSM parameter, not "a b"'),
        ({"Parameter": None}, ".Parameter: must be a string, not null"),
        (7, ": must be a string, not 7"),
    ],
)
def test_an_invalid_source_is_an_error_at_its_path(entry: object, expected: str) -> None:
    """Each problem with a source is an error at its path."""
    assert errors(targets(UNIT, entry)) == [f"{LIST}[1]{expected}"]


def test_only_lists_take_sources() -> None:
    """A single account ID is no list, so it takes no source."""
    found = errors(
        {
            "Name": "golden",
            "Distributions": [{**ami(), "FastLaunchConfigurations": [{"Enabled": True, "AccountId": PARAMETER}]}],
        }
    )
    assert [line.rpartition(": ")[2] for line in found] == ["must be a string, not a mapping"]


def test_a_misplaced_source_is_explained() -> None:
    """A source outside a list is an error that says where it belongs."""
    found = errors({"Name": "golden", "Distributions": [ami(OrganizationalUnit="ou-ab12-11111111")]})
    assert found == [
        "Distributions[0].AmiDistributionConfiguration.OrganizationalUnit: unknown property; it belongs in "
        "TargetAccountIds"
    ]


def test_the_maximum_counts_what_is_certain() -> None:
    """Before its sources are resolved, a list has too many entries only if its different account IDs are too many."""
    many = [f"{number:012}" for number in range(1537)]
    assert errors(targets(UNIT, *many)) == [f"{LIST}: must have at most 1536 entries, but has 1537"]
    assert errors(targets(UNIT, *many[:1536], *many[:1536])) == []
    assert errors(targets(*([PARAMETER] * 1537))) == []


def test_a_list_with_sources_is_a_warning() -> None:
    """Each list with sources is one warning, because they are resolved only at deployment; other lists are none."""
    found = validate_properties(expand(targets(UNIT, PARAMETER), SCHEMA), RULES)
    assert [(one.rule, one.path, one.severity) for one in found] == [("resolved-once", PATH, Severity.WARNING)]
    assert validate_properties(expand(targets("111122223333"), SCHEMA), RULES) == []


def test_rules_about_accounts_wait_for_the_accounts() -> None:
    """The rules that compare accounts report nothing as long as a source may contain the account."""
    account = "999988887777"
    distribution = ami(TargetAccountIds=[UNIT]) | {
        "SsmParameterConfigurations": [{"ParameterName": "/imagebuilder/x", "AmiAccountId": account}],
        "FastLaunchConfigurations": [{"Enabled": True, "AccountId": account}],
    }
    properties = {
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
        "Name": "golden",
        "Distributions": [distribution],
    }
    expanded = expand(properties, SCHEMA)
    assert {one.rule for one in validate_properties(expanded, RULES)} == {"resolved-once"}
    sources = find_sources(expanded.parameters, SCHEMA)
    resolved = with_accounts(expanded.parameters, SCHEMA, dict.fromkeys(sources, ("111122223333",)))
    found = validate_properties(expanded._replace(parameters=resolved, checked=resolved, has_sources=False), RULES)
    assert {one.rule for one in found} == {"target-account", "image-owner"}


def test_sources_are_found_by_their_paths() -> None:
    """Sources have their paths; equal sources are equal."""
    properties = targets("111122223333", {"except": ["1" * 12], "organizationalUnit": "r-ab12"}, PARAMETER)
    assert find_sources(expand(properties, SCHEMA).parameters, SCHEMA) == {
        (*PATH, 1): Source("organizationalUnit", "r-ab12", frozenset({"1" * 12})),
        (*PATH, 2): Source("parameter", "/images/accounts"),
    }


@given(st.lists(st.lists(ACCOUNTS, min_size=1) | ACCOUNTS, min_size=1, max_size=6))
def test_sources_are_replaced_by_their_accounts(entries: list[list[str] | str]) -> None:
    """A list with sources becomes the sorted set of its account IDs and those of its sources; others stay as given."""
    properties = targets(*(entry if isinstance(entry, str) else PARAMETER for entry in entries))
    parameters = expand(properties, SCHEMA).parameters
    accounts: dict[Path, list[str]] = {
        (*PATH, index): entry for index, entry in enumerate(entries) if not isinstance(entry, str)
    }
    resolved = with_accounts(parameters, SCHEMA, accounts)
    every = [account for entry in entries for account in ([entry] if isinstance(entry, str) else entry)]
    expected = sorted({*every}) if accounts else every
    assert resolved["distributions"][0]["amiDistributionConfiguration"]["targetAccountIds"] == expected
    assert find_sources(resolved, SCHEMA) == {}


def test_a_source_without_accounts_is_a_bug() -> None:
    """Accounts that lack a source raise KeyError, so that no list is ever incomplete."""
    with pytest.raises(KeyError):
        with_accounts(expand(targets(UNIT, PARAMETER), SCHEMA).parameters, SCHEMA, {(*PATH, 0): ["1" * 12]})


def test_sources_survive_flattening_and_comparison() -> None:
    """Sources are shown as a user writes them, and lists with sources can be compared."""
    old, new = (expand(targets(*entries), SCHEMA).parameters for entries in ((UNIT, "1" * 12), ("1" * 12, PARAMETER)))
    assert flatten(old, SCHEMA)["Distributions"][0]["AmiDistributionConfiguration"]["TargetAccountIds"] == [
        UNIT,
        "1" * 12,
    ]
    (difference,) = differences(old, new, SCHEMA)
    assert difference.path == 'Distributions["us-east-1"].AmiDistributionConfiguration.TargetAccountIds'
    same = expand(targets("1" * 12, UNIT), SCHEMA).parameters
    assert differences(old, same, SCHEMA) == ()


def structures(schema: Schema) -> Iterator[Schema]:
    """Yield all structures in a schema, with those of sources."""
    if schema.type_name == "structure":
        yield schema
    for inner in (*schema.members.values(), *(one for one in (schema.item, schema.source) if one)):
        yield from structures(inner)


def test_each_variant_has_its_members() -> None:
    """The variants of a union have the members of its schema, and each union is in a schema."""
    unions = {one.shape: {*one.members} for one in structures(SCHEMA) if one.shape in VARIANTS}
    assert unions == {shape: {name for variant in variants for name in variant} for shape, variants in VARIANTS.items()}
