"""Finds two configurations of an app that are the same one: the same Name, or the same adopted ARN."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

from aws_cdk import CfnCondition, CfnParameter, CfnResource, Stack, Token
from constructs import Construct

from ..arn import slug
from ..lint.catalog import id_of
from ..lint.condition_outcomes import Conditions
from ..lint.same_name import check_names
from ..resources import resource_type
from ..schema.finding import Path, Severity
from ..schema.model import NAME, REGION, ROLE, TARGET
from ..schema.validation import describe
from .provider import DeployedProvider, DistributionConfigurationProvider

_SHARED_PSEUDO_PARAMETERS: Final = ("AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::URLSuffix")
"""The pseudo parameters that have the same value in all stacks of an account and Region."""
_UNRESOLVED: Final = "${Token["
"""What a text with a token contains."""
_ARN_PARTS: Final = 5
"""The parts of an ARN up to its account."""
_ACCOUNT_DIGITS: Final = 12

IDENTITY: Final = (NAME, TARGET)
"""The properties that identify a configuration in its account and Region."""
LOCATION: Final = (REGION, ROLE)
"""The properties that select another account and Region than the provider's."""


class Duplicate(NamedTuple):
    """A finding about a configuration that has the name or the ARN of another."""

    id: str
    severity: Severity
    message: str


@dataclass
class Declaration:
    """A configuration in an app, with its provider. `given` has IDENTITY and LOCATION, maybe as tokens."""

    construct: Construct
    provider: DistributionConfigurationProvider | DeployedProvider
    given: Mapping[str, Any]
    identity: tuple[str, Any] | None = None
    """NAME or TARGET, with the resolved value of that property."""
    location: dict[str, Any] = field(default_factory=dict)
    """The resolved REGION, and by ROLE the account of the resolved role, or the role if its account is unknown."""

    @property
    def stack(self) -> Stack:
        return Stack.of(self.construct)

    def resolve(self) -> None:
        """Resolve the properties. Each resolved token is a call to Node.js, so the others keep the result."""
        resolved = {
            member: value if isinstance(value, str) and _UNRESOLVED not in value else self.stack.resolve(value)
            for member, value in self.given.items()
        }
        self.identity = next(((member, resolved[member]) for member in IDENTITY if member in resolved), None)
        self.location = {member: resolved[member] for member in LOCATION if member in resolved}
        if ROLE in self.location:
            self.location[ROLE] = _account_of(self.location[ROLE]) or self.location[ROLE]

    def is_in_app(self) -> bool:
        """Whether neither the construct nor one that contains it was removed from the app."""
        scopes = self.construct.node.scopes
        return all(parent.node.try_find_child(child.node.id) is not None for parent, child in pairwise(scopes))

    def conditions(self) -> Iterator[tuple[Stack, str]]:
        """The conditions of the resource and of the nested stacks that contain it, each with the stack that has it."""
        stack: Stack | None = self.stack
        resource = self.construct.node.default_child
        while isinstance(resource, CfnResource):
            owner = Stack.of(resource)
            condition = resource.cfn_options.condition
            if condition is not None:
                yield owner, owner.resolve(condition.logical_id)
            resource = stack.nested_stack_resource if stack else None
            stack = stack.nested_stack_parent if stack else None


def relevant_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of IDENTITY and LOCATION, by the API's names."""
    given = ((resource_type().schema.spellings.get(key), value) for key, value in properties.items())
    return {member: value for member, value in given if member in (*IDENTITY, *LOCATION) and value is not None}


def find_duplicate(second: Declaration, earlier: list[Declaration]) -> Duplicate | None:
    """The most severe finding about a declaration and one of the earlier declarations of the app."""
    second.resolve()
    for first in earlier:
        if first.identity is None:
            first.resolve()
    found = [one for first in earlier if (one := _duplicate(first, second)) is not None]
    return next((one for one in found if one.severity is Severity.ERROR), found[0] if found else None)


def _duplicate(first: Declaration, second: Declaration) -> Duplicate | None:
    one, other = first.identity, second.identity
    if one is None or other is None or one[0] != other[0] or not _may_be_equal(one[1], other[1]):
        return None
    if not first.is_in_app() or not _can_coexist(first, second):
        return None
    certainty = _certainty(first, second)
    return None if certainty is None else _finding(first, other, certainty)


def _finding(first: Declaration, identity: tuple[str, Any], certainty: str) -> Duplicate:
    """The finding that a declaration with this identity has that of the first one, if `certainty` is true."""
    member, value = identity
    path = first.construct.node.path
    if member == TARGET:
        message = f"adopt: same ARN as in {path}, so each undoes the other's updates; adopt it with one construct only"
        return Duplicate(id_of("target-once"), Severity.WARNING, message)
    shown = f"{describe(value)} has" if isinstance(value, str) else "has"
    message = f"name: {shown} the same ARN as the name of {path}{certainty}; give each configuration a unique name"
    if certainty:
        return Duplicate(f"W{id_of('name-once')[1:]}", Severity.WARNING, message)
    return Duplicate(id_of("name-once"), Severity.ERROR, message)


def _may_be_equal(one: Any, other: Any) -> bool:
    """Whether two names can be equal, without looking at conditions."""
    return not {*_texts(one)}.isdisjoint(_texts(other))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield slug(value)
    elif isinstance(value, Mapping):
        yield from (text for entry in value.values() for text in _texts(entry))
    elif isinstance(value, list):
        yield from (text for entry in value for text in _texts(entry))


def _can_coexist(first: Declaration, second: Declaration) -> bool:
    """Whether both can exist with the same name, by the conditions of their stacks."""
    if first.stack is not second.stack and not (_is_same_in_all_stacks(first) and _is_same_in_all_stacks(second)):
        return False
    definitions: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for stack in {stack: None for one in (first, second) for stack in _stacks_with_conditions(one)}:
        _add_conditions(stack, definitions, parameters)
    resources = {name: _resource(name, one, definitions) for name, one in (("First", first), ("Second", second))}
    template = {"Resources": resources, "Conditions": definitions, "Parameters": parameters}
    ours: dict[Path, Mapping[str, Any]] = {("Resources", name): resource for name, resource in resources.items()}
    return bool(check_names(template, ours, Conditions.of(template)))


def _stacks_with_conditions(one: Declaration) -> list[Stack]:
    """The stacks on whose conditions a declaration depends."""
    owners = [owner for owner, _ in one.conditions()]
    return [one.stack, *owners] if _has_condition(one.identity) else owners


def _resource(logical_id: str, one: Declaration, definitions: dict[str, Any]) -> dict[str, Any]:
    """A declaration as a resource of a template that has the conditions of all stacks."""
    member, value = one.identity or ("", None)
    resource: dict[str, Any] = {"Properties": {member: _with_prefix(value, _prefix(one.stack))}}
    for index, (stack, name) in enumerate(one.conditions()):
        own = {"Condition": f"{_prefix(stack)}{name}"}
        key, before = f"{logical_id}{index}", resource.get("Condition")
        definitions[key] = {"Fn::And": [{"Condition": before}, own]} if before else own
        resource["Condition"] = key
    return resource


def _has_condition(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "Fn::If" in value or any(map(_has_condition, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_condition, value))


def _is_same_in_all_stacks(one: Declaration) -> bool:
    return one.identity is not None and _is_equal_in_all_stacks(one.identity[1])


def _is_equal_in_all_stacks(value: Any) -> bool:
    """Whether a value in two stacks of one account and Region is the same, if it is written in the same way."""
    match value:
        case str():
            return True
        case {"Ref": name}:
            return name in _SHARED_PSEUDO_PARAMETERS
        case {"Fn::If": [_, *branches]}:
            return all(map(_is_equal_in_all_stacks, branches))
        case {"Fn::Join": [str(), [*parts]]}:
            return all(map(_is_equal_in_all_stacks, parts))
    return False


def _add_conditions(stack: Stack, definitions: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Add a stack's conditions, with a prefix, and the parameters that they compare."""
    for construct in stack.node.find_all():
        if isinstance(construct, CfnCondition) and construct.expression is not None:
            if Stack.of(construct) is stack:
                name = f"{_prefix(stack)}{stack.resolve(construct.logical_id)}"
                definitions[name] = _with_prefix(stack.resolve(construct.expression), _prefix(stack))
        elif isinstance(construct, CfnParameter):
            declared = {"Type": construct.type, "AllowedValues": construct.allowed_values}
            parameters[stack.resolve(construct.logical_id)] = {key: one for key, one in declared.items() if one}


def _prefix(stack: Stack) -> str:
    return f"{stack.node.path}/"


def _with_prefix(value: Any, prefix: str) -> Any:
    """A value with a prefix before the names of conditions."""
    match value:
        case {"Condition": str(name)}:
            return {"Condition": f"{prefix}{name}"}
        case {"Fn::If": [str(name), *branches]}:
            return {"Fn::If": [f"{prefix}{name}", *_with_prefix(branches, prefix)]}
        case Mapping():
            return {key: _with_prefix(entry, prefix) for key, entry in value.items()}
        case list():
            return [_with_prefix(entry, prefix) for entry in value]
    return value


def _certainty(first: Declaration, second: Declaration) -> str | None:
    """What must be true for both to be in one account and Region: empty if they certainly are, None if never."""
    locations = _location(first), _location(second)
    if any(None not in pair and pair[0] != pair[1] for pair in zip(*locations, strict=True)):
        return None
    known = [*locations[0], *locations[1]]
    if _top_level(first.stack) is _top_level(second.stack):
        doubt = _doubt_in_one_stack(first, second) if None in known else ""
    else:
        known += [*_environment(first.stack), *_environment(second.stack)]
        doubt = " if both stacks are in one account and Region" if None in known else ""
    is_certain = first.stack is second.stack or not _is_conditional(first, second)
    return doubt or ("" if is_certain else " if both are deployed")


def _doubt_in_one_stack(first: Declaration, second: Declaration) -> str:
    """What must be true for two configurations of one stack to be in one location, if a location is not known."""
    if not _specify_one_location(first, second):
        return " if both are in one account and Region"
    return "" if _have_one_provider_location(first, second) else " if both providers are in one account and Region"


def _specify_one_location(first: Declaration, second: Declaration) -> bool:
    """Whether two configurations of one stack, or of its nested stacks, certainly have the same Region and account."""
    is_comparable = first.stack is second.stack or all(map(_is_equal_in_all_stacks, first.location.values()))
    return is_comparable and first.location == second.location


def _is_conditional(*declarations: Declaration) -> bool:
    return any(next(one.conditions(), None) or _has_condition(one.identity) for one in declarations)


def _have_one_provider_location(first: Declaration, second: Declaration) -> bool:
    """Whether the providers of two configurations of one stack are certainly in one account and Region."""
    owned = [one.provider for one in (first, second) if isinstance(one.provider, DistributionConfigurationProvider)]
    if len(owned) == len((first, second)):
        return _top_level(Stack.of(owned[0])) is _top_level(Stack.of(owned[1]))
    tokens = [one.stack.resolve(one.provider.service_token) for one in (first, second)]
    return bool(tokens[0] == tokens[1])


def _location(one: Declaration) -> tuple[str | None, str | None]:
    """The account and Region of a configuration, as far as they are known."""
    member, value = one.identity or ("", None)
    account, region = (_arn_location(value) if member == TARGET else None) or _provider_location(one)
    if REGION in one.location:
        region = one.location[REGION] if isinstance(one.location[REGION], str) else None
    if ROLE in one.location:
        account = one.location[ROLE] if _is_account(one.location[ROLE]) else None
    return account, region


def _provider_location(one: Declaration) -> tuple[str | None, str | None]:
    """The account and Region of a provider, as far as they are known; without its ARN, those of the stack."""
    if found := _arn_location(one.stack.resolve(one.provider.service_token)):
        return found
    owned = isinstance(one.provider, DistributionConfigurationProvider)
    return _environment(Stack.of(one.provider) if owned else one.stack)


def _arn_location(arn: Any) -> tuple[str, str] | None:
    """The account and Region in a resolved ARN without tokens."""
    parts = arn.split(":") if isinstance(arn, str) else []
    return (parts[4], parts[3]) if len(parts) > _ARN_PARTS else None


def _account_of(role: Any) -> str | None:
    """The account in a resolved role's ARN, which may contain other tokens such as the partition."""
    match role:
        case {"Fn::Join": ["", [*parts]]}:
            text = "".join(part if isinstance(part, str) else "?" for part in parts)
        case _:
            text = str(role)
    account = "".join(text.split(":")[4:5])
    return account if _is_account(account) else None


def _is_account(value: Any) -> bool:
    return isinstance(value, str) and len(value) == _ACCOUNT_DIGITS and value.isdecimal()


def _environment(stack: Stack) -> tuple[str | None, str | None]:
    """The account and Region of a stack, as far as they are known."""
    account, region = (None if Token.is_unresolved(one) else one for one in (stack.account, stack.region))
    return account, region


def _top_level(stack: Stack) -> Stack:
    """The stack that contains a nested stack; any other stack itself."""
    parent = stack.nested_stack_parent
    return _top_level(parent) if parent is not None else stack
