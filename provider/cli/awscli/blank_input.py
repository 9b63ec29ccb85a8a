"""`--generate-cli-skeleton`: an operation's input to fill in, as a value and as commented YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...authoring.documentation import first_sentence, of_member

if TYPE_CHECKING:
    from ...schema.model import Schema


def blank(type_: Schema) -> Any:
    """An empty value of this type with all members, and one entry in each list and map."""
    if type_.type_name == "structure":
        return {name: blank(member) for name, member in type_.members.items()}
    if type_.item:
        return [blank(type_.item)] if type_.type_name == "list" else {"KeyName": blank(type_.item)}
    if type_.type_name == "boolean":
        return True
    return 0 if type_.type_name in ("integer", "long") else next(iter(type_.enum), "")


def commented(type_: Schema) -> str:
    """The same as YAML. A comment describes each member, whether it is required, and its allowed values."""
    return "\n".join(_lines(type_)) + "\n"


def _lines(type_: Schema) -> list[str]:
    if type_.type_name == "structure":
        return [line for name, member in type_.members.items() for line in _member(type_, name, member)]
    if type_.type_name == "list" and type_.item:
        first, *others = _lines(type_.item)
        return [f"- {first}", *(f"  {line}" for line in others)]
    if type_.item:
        return [f"KeyName: {_lines(type_.item)[0]}"]
    value = blank(type_)
    return ["''" if value == "" else "true" if value is True else str(value)]


def _member(structure: Schema, name: str, member: Schema) -> list[str]:
    comment = f"# {'[REQUIRED] ' if name in structure.required else ''}{first_sentence(of_member(structure, name))}"
    if member.enum:
        comment += f" Valid values are: {', '.join(member.enum)}."
    lines = _lines(member)
    if member.is_scalar:
        return [f"{name}: {lines[0]} {comment}"]
    indent = "" if member.type_name == "list" else "  "
    return [f"{name}: {comment}", *(f"{indent}{line}" for line in lines)]
