"""Reports before a deployment what the handler would report about a template's resources.

cfn-lint finds its rules here by their IDs: `cfn-lint TEMPLATE -a image_builder_distribution.lint`. They are created on
first access: importing cfn-lint takes half a second, and `python -m provider validate` does not need it.
"""

from .catalog import CHECKS


def __dir__() -> list[str]:
    return list(CHECKS)


def __getattr__(name: str) -> type:
    if name not in CHECKS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .cfn_lint_rules import rule

    return rule(name)
