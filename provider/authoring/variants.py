"""The variants of a union: structures with the union's shape and a part of its members."""

from collections.abc import Mapping

from ..schema.model import VARIANTS, Schema, pascal_case


def variants(union: Schema | None) -> Mapping[str, Schema]:
    """The schema of each variant by its name, such as `ParameterSource`; none if the schema is no union."""
    if union is None or union.shape not in VARIANTS:
        return {}
    suffix = union.shape.removeprefix("Account")
    return {
        f"{pascal_case(names[0])}{suffix}": Schema(
            union.type_name, union.shape, members={name: union.members[name] for name in names}, required=names[:1]
        )
        for names in VARIANTS[union.shape]
    }
