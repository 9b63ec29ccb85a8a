"""Properties that the role of the app's own provider does not allow. Tokens are not checked."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from aws_cdk import Stack, Token
from aws_cdk.aws_iam import CfnManagedPolicy, CfnPolicy, CfnRole, Role

from ..arn import slug
from ..lint.condition_outcomes import Conditions
from ..lint.scenario import conditions_in, scenario
from ..resources import resource_type
from ..schema.account_sources import ORGANIZATIONAL_UNIT, PARAMETER, source_entries
from ..schema.expand import expand
from ..schema.finding import Path, Spelling
from ..schema.model import NAME, REGION, ROLE, TARGET
from ..schema.rules import select
from ..schema.validation import describe
from .arguments import in_python
from .limits import PATTERNS
from .provider import DistributionConfigurationProvider


class _Limit(NamedTuple):
    """A pattern of the provider that limits some values of the parameters. `key` converts one to what is matched.

    A statement that allows `action`, added to the role, may allow other values.
    """

    argument: str
    values: Callable[[Any], Iterable[tuple[Path, Any]]]
    action: str
    key: Callable[[str], str] = str


def _at(path: str) -> Callable[[Any], Iterable[tuple[Path, Any]]]:
    return lambda parameters: select(parameters, path)


def _in_sources(member: str) -> Callable[[Any], Iterable[tuple[Path, Any]]]:
    def values(parameters: Any) -> Iterator[tuple[Path, Any]]:
        for path, source in source_entries(parameters, resource_type().schema):
            if member in source:
                yield (*path, member), source[member]

    return values


def _parameter_name(name: str) -> str:
    """The name of a parameter by its name or ARN, without its leading slash, version, and label."""
    return (name.rpartition(":parameter/")[2] or name).partition(":")[0].removeprefix("/")


_LIMITS: Final = (
    _Limit("name_pattern", _at(NAME), "imagebuilder:CreateDistributionConfiguration", slug),
    _Limit(
        "name_pattern", _at(TARGET), "imagebuilder:GetDistributionConfiguration", lambda arn: arn.rpartition("/")[2]
    ),
    _Limit("export_bucket_pattern", _at("distributions[].s3ExportConfiguration.s3Bucket"), "s3:ListBucket"),
    _Limit(
        "ssm_parameter_pattern",
        _at("distributions[].ssmParameterConfigurations[].parameterName"),
        "ssm:GetParameter",
        lambda name: name.removeprefix("/"),
    ),
    _Limit("source_parameter_pattern", _in_sources(PARAMETER), "ssm:GetParameter", _parameter_name),
)
_LIST_ACCOUNTS: Final = "organizations:ListAccountsForParent"
_TEMPLATES: Final = "distributions[].launchTemplateConfigurations[]"
_MODIFY_TEMPLATE: Final = "ec2:CreateLaunchTemplateVersion"
_ARN: Final = re.compile(r"arn:[^:]+:imagebuilder:([^:]+):([^:]+):distribution-configuration/[^/]+")

_Found = Iterator[tuple[Path, str, str]]
"""Paths by the API's names, each with a message and with the action that the role lacks."""


def not_allowed(properties: Mapping[str, Any], provider: DistributionConfigurationProvider) -> list[str]:
    """The errors about resolved properties that the provider's role does not allow, each with its path."""
    found: dict[str, str] = {}
    for outcome in Conditions({}, {}).outcomes(list(dict.fromkeys(conditions_in(properties)))):
        under_outcome = scenario(properties, (), outcome).properties
        spelling = Spelling(under_outcome, resource_type().schema)
        parameters = expand(under_outcome, resource_type().schema).parameters
        if ROLE in parameters:
            continue  # the permissions are those of that role
        for path, message, action in _violations(parameters, provider):
            found.setdefault(f"{in_python(spelling.text(path) + ': ').removesuffix(': ')}: {message}", action)
    return [message for message, action in found.items() if not _may_allow(provider.role, action)]


def _violations(parameters: dict[str, Any], provider: DistributionConfigurationProvider) -> _Found:
    for limit in _LIMITS:
        pattern = provider.patterns[limit.argument]
        if not Token.is_unresolved(pattern) and re.fullmatch(PATTERNS[limit.argument][0], pattern):
            yield from _mismatches(parameters, limit, pattern, provider.node.path)
    if not provider.launch_templates:
        message = f"the provider {provider.node.path} has launch_templates=False; remove that argument"
        entries = select(parameters, _TEMPLATES)
        yield from ((path, message, _MODIFY_TEMPLATE) for path, entry in entries if isinstance(entry, dict))
    if not (provider.organizations_access or provider.patterns["organizations_role_arn"]):
        for path, _ in _in_sources(ORGANIZATIONAL_UNIT)(parameters):
            message = f"the provider {provider.node.path} may not read organizational units; create it with"
            yield path, f"{message} organizations_role_arn or organizations_access", _LIST_ACCOUNTS
    yield from _other_location(parameters.get(TARGET), provider)
    yield from _other_region(parameters.get(REGION), provider)


def _other_region(region: object, provider: DistributionConfigurationProvider) -> _Found:
    own = Stack.of(provider).region
    if isinstance(region, str) and not Token.is_unresolved(own) and region not in (own, *provider.regions):
        message = f"{describe(region)} is not allowed by the provider {provider.node.path}, which is in {own}"
        yield (REGION,), f"{message}; {_add_region(region)}", "imagebuilder:CreateDistributionConfiguration"


def _mismatches(parameters: dict[str, Any], limit: _Limit, pattern: str, provider: str) -> _Found:
    for path, value in limit.values(parameters):
        if isinstance(value, str) and not fnmatchcase(limit.key(value), pattern):
            shown, matched = describe(value), describe(limit.key(value))
        elif not isinstance(value, str) and not pattern:
            shown, matched = "this value", "it"
        else:
            continue
        problem = f"{shown} is not allowed by the provider {provider}, whose {limit.argument} is {describe(pattern)}"
        yield path, f"{problem}; to allow it, create the provider with one that matches {matched}", limit.action


def _other_location(target: object, provider: DistributionConfigurationProvider) -> _Found:
    """The role's policy has the provider's own account in its ARNs, and a condition on the Region."""
    arn = _ARN.fullmatch(target) if isinstance(target, str) else None
    region, account = arn.groups() if arn else ("", "")
    stack, path = Stack.of(provider), provider.node.path
    if arn and not Token.is_unresolved(stack.region) and region not in (stack.region, *provider.regions):
        message = f"is in the Region {region}, but the provider {path} is in {stack.region}; {_add_region(region)}"
        yield (TARGET,), message, "imagebuilder:GetDistributionConfiguration"
    if arn and not Token.is_unresolved(stack.account) and account != stack.account:
        message = f"is in the account {account}, but the provider {path} is in {stack.account}"
        yield (TARGET,), f"{message}; specify a role of that account", "imagebuilder:GetDistributionConfiguration"


def _add_region(region: str) -> str:
    return f"to allow it, create the provider with {describe(region)} in its regions"


def _may_allow(role: Role, action: str) -> bool:
    """Whether policies that the app added to the role may allow an action."""
    resource = role.node.default_child
    if isinstance(resource, CfnRole) and Stack.of(role).resolve(resource.managed_policy_arns):
        return True
    policies = (one for one in role.node.root.node.find_all() if isinstance(one, (CfnPolicy, CfnManagedPolicy)))
    return any(_applies_to(one, role) and _allows(one, action) for one in policies)


def _applies_to(policy: CfnPolicy | CfnManagedPolicy, role: Role) -> bool:
    stack = Stack.of(policy)
    return stack.resolve(role.role_name) in (stack.resolve(policy.roles) or [])


def _allows(policy: CfnPolicy | CfnManagedPolicy, action: str) -> bool:
    statements = Stack.of(policy).resolve(policy.policy_document)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = statement.get("Action", "*")
        listed = actions if isinstance(actions, list) else [actions]
        if any(fnmatchcase(action.lower(), str(one).lower()) for one in listed):
            return True
    return False
