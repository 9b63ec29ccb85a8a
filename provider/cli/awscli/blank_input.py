"""`--generate-cli-skeleton`: an operation's input to fill in, as JSON and as YAML with comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...authoring.documentation import description, first_sentence

if TYPE_CHECKING:
    from ...schema.model import Schema


def blank(schema: Schema) -> Any:
    """An empty value with all members, and one entry in each list and map."""
    if schema.type_name == "structure":
        return {name: blank(member) for name, member in schema.members.items()}
    if schema.item:
        return [blank(schema.item)] if schema.type_name == "list" else {"KeyName": blank(schema.item)}
    if schema.type_name == "boolean":
        return True
    return 0 if schema.type_name in ("integer", "long") else next(iter(schema.enum), "")


def commented(schema: Schema) -> str:
    """The same as YAML. A comment describes each member, whether it is required, and its allowed values."""
    return "\n".join(_lines(schema))


def _lines(schema: Schema) -> list[str]:
    if schema.type_name == "structure":
        return [line for name, member in schema.members.items() for line in _member(schema, name, member)]
    if schema.type_name == "list" and schema.item:
        first, *others = _lines(schema.item)
        return [f"- {first}", *(f"  {line}" for line in others)]
    if schema.item:
        return [f"KeyName: {_lines(schema.item)[0]}"]
    value = blank(schema)
    return ["''" if value == "" else "true" if value is True else str(value)]


def _member(structure: Schema, name: str, member: Schema) -> list[str]:
    comment = f"# {'[REQUIRED] ' if name in structure.required else ''}{first_sentence(description(structure, name))}"
    if member.enum:
        comment += f" Valid values are: {', '.join(member.enum)}."
    lines = _lines(member)
    if member.is_scalar:
        return [f"{name}: {lines[0]} {comment}"]
    indent = "" if member.type_name == "list" else "  "
    return [f"{name}: {comment}", *(f"{indent}{line}" for line in lines)]
