"""What names stand for before anything is deployed: the parameters with their values, and the pseudo parameters."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from .texts import DYNAMIC_REFERENCE, Value

_TEXTS: Final = frozenset({"String", "Number"})
_LIST: Final = "CommaDelimitedList"
"""The types of parameters whose values a template shows; those of others are elsewhere, or have rules of their own."""


def _pseudo(region: str, partition: str, suffix: str, account: str, stack: str) -> dict[str, str]:
    return {
        "AWS::AccountId": account,
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/0",
        "AWS::StackName": stack,
        "AWS::URLSuffix": suffix,
    }


GUESSES: Final = (
    _pseudo("us-east-1", "aws", "amazonaws.com", "012345678901", "a"),
    _pseudo("us-gov-west-1", "aws-us-gov", "amazonaws.com", "210987654321", "b" * 17),
    _pseudo("cn-northwest-1", "aws-cn", "amazonaws.com.cn", "999999999999", "C-9" * 42),
)
"""Values of the pseudo parameters as unlike as they can be: what holds with each of them holds in every deployment."""

AS_WRITTEN: Final = {name: f"${{{name}}}" for name in GUESSES[0]}
"""The pseudo parameters as a person writes them."""


@dataclass(frozen=True)
class Bound:
    """A deployment of a template: the value of each parameter that it binds.

    `chosen` is the one whose value is another than its Default, empty where all are by default.
    """

    names: Mapping[str, Value]
    chosen: str = ""

    def parameters(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        """The template's parameters, each that is bound with its value as the only one allowed."""
        # A list is compared with nothing in conditions.
        bound = {name: value for name, value in self.names.items() if isinstance(value, str)}
        return {**declared, **{name: {**declared[name], "AllowedValues": [value]} for name, value in bound.items()}}

    def describe(self, mentioned: Set[str]) -> str:
        """The values of the parameters `mentioned`, for a person to read."""
        shown = [f"parameter {name} is {_quoted(value)}" for name, value in self.names.items() if name in mentioned]
        if not shown:
            return "where the parameters have their defaults"
        return f"where {' and '.join(shown)}{'' if self.chosen else ', as by default'}"


def bound(template: Mapping[str, Any], mentioned: Set[str]) -> Iterator[Bound]:
    """The deployments that show what the parameters `mentioned` can be: by default, then each other allowed value.

    None in a template with Rules, which may allow fewer values than the parameters do.
    """
    known = {} if "Rules" in template else _declared(template)
    defaults = {name: value for name, one in known.items() if (value := _default(one)) is not None}
    if mentioned & defaults.keys():
        yield Bound(defaults)
    for name in filter(mentioned.__contains__, known):
        others = (value for value in allowed(known[name]) if value != defaults.get(name))
        yield from (Bound({**defaults, name: value}, name) for value in others if DYNAMIC_REFERENCE not in value)


def _declared(template: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    declared = template.get("Parameters")
    parameters = declared.items() if isinstance(declared, Mapping) else ()
    return {str(name): one for name, one in parameters if isinstance(one, Mapping)}


def allowed(parameter: Mapping[str, Any]) -> list[str]:
    """The AllowedValues of a parameter whose value is one text."""
    values = parameter.get("AllowedValues")
    return [_text(value) for value in values] if isinstance(values, list) and parameter.get("Type") in _TEXTS else []


def _default(parameter: Mapping[str, Any]) -> Value | None:
    default = parameter.get("Default")
    if default is None or isinstance(default, (Mapping, list)) or DYNAMIC_REFERENCE in _text(default):
        return None
    if parameter.get("Type") in _TEXTS:
        return _text(default)
    # What is left of an empty list hangs on where it stands.
    is_list = parameter.get("Type") == _LIST and default != ""
    return [part.strip() for part in _text(default).split(",")] if is_list else None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(value: Value) -> str:
    return f'"{value if isinstance(value, str) else ",".join(value)}"'
