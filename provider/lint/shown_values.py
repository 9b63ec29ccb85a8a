"""The values of parameters and pseudo parameters as far as a template shows them."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from ..template.intrinsics import DYNAMIC_REFERENCE, SCALARS, UnknownValueError, text
from ..template.parameters import Value, allowed_values, items_of
from ..template.template_error import TreePath

_TEXT_TYPES: Final = ("String", "Number")
_LIST_TYPE: Final = "CommaDelimitedList"
"""The types of parameters whose values a template shows. The values of others are elsewhere, or have further rules."""


@dataclass(frozen=True)
class ShownValues:
    """The function values that can be determined from the template. `names` maps each `Ref` target to its value.

    With `in_loop`, an `Fn::ForEach` can replace `${...}` and `&{...}` in any text. `kinds` are those of `Ref`.
    """

    names: Mapping[str, Value] = field(default_factory=dict)
    in_loop: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)

    def reference(self, name: str, path: TreePath) -> Value:
        """The known value of a name."""
        return self.names[name] if name in self.names else self._unknown(path)

    def attribute(self, _name: str, _attribute: str, path: TreePath) -> NoReturn:
        """Unknown."""
        self._unknown(path)

    def exported(self, _name: str, path: TreePath) -> NoReturn:
        """Unknown."""
        self._unknown(path)

    def resolve(self, _text: str, path: TreePath) -> NoReturn:
        """Unknown."""
        self._unknown(path)

    def _unknown(self, path: TreePath) -> NoReturn:
        raise UnknownValueError("this value is known only at deployment", path)


NOTHING_SHOWN: Final = ShownValues()


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
"""Very different values of the pseudo parameters: a finding with all of them is a finding in every deployment."""

AS_WRITTEN: Final = {name: f"${{{name}}}" for name in GUESSES[0]}
"""The pseudo parameters as a person writes them in a text."""


@dataclass(frozen=True)
class ParameterBinding:
    """A deployment of a template with values for some parameters.

    `chosen` is the parameter whose value is not its Default; it is empty if all values are defaults.
    """

    names: Mapping[str, Value]
    chosen: str = ""

    def parameters(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        """The template's parameters, each with its value in `names` as the only allowed one."""
        # Conditions cannot compare a list.
        bound = {name: value for name, value in self.names.items() if isinstance(value, str)}
        return {**declared, **{name: {**declared[name], "AllowedValues": [value]} for name, value in bound.items()}}

    def describe(self, mentioned: Set[str]) -> str:
        """The values of the parameters `mentioned`, for people."""
        shown = [f"parameter {name} is {_quoted(value)}" for name, value in self.names.items() if name in mentioned]
        if not shown:
            return "if the parameters have their defaults"
        return f"if {' and '.join(shown)}{'' if self.chosen else ', as by default'}"


def bound(template: Mapping[str, Any], mentioned: Set[str]) -> Iterator[ParameterBinding]:
    """The deployments that show all values of the parameters `mentioned`: the defaults, then each other allowed value.

    There are none if the template has Rules, which can allow fewer values than the parameters do.
    """
    known = {} if "Rules" in template else _declared(template.get("Parameters"))
    defaults = {name: value for name, one in known.items() if (value := _default(one)) is not None}
    if mentioned & defaults.keys():
        yield ParameterBinding(defaults)
    for name in filter(mentioned.__contains__, known):
        for value in allowed_texts(known[name]):
            if value != defaults.get(name) and DYNAMIC_REFERENCE not in value:
                yield ParameterBinding({**defaults, name: value}, name)


def _declared(section: object) -> dict[str, Mapping[str, Any]]:
    parameters = section.items() if isinstance(section, Mapping) else ()
    return {str(name): one for name, one in parameters if isinstance(one, Mapping)}


def allowed_texts(parameter: Mapping[str, Any]) -> list[str]:
    """The AllowedValues of a parameter whose value is a single text."""
    return allowed_values(parameter) if parameter.get("Type") in _TEXT_TYPES else []


def _default(parameter: Mapping[str, Any]) -> Value | None:
    default = parameter.get("Default")
    if not isinstance(default, SCALARS) or DYNAMIC_REFERENCE in text(default):
        return None
    if parameter.get("Type") in _TEXT_TYPES:
        return text(default)
    # The property decides whether an empty text is an empty list.
    return items_of(text(default)) if parameter.get("Type") == _LIST_TYPE and default != "" else None


def _quoted(value: Value) -> str:
    return f'"{value if isinstance(value, str) else ",".join(value)}"'
