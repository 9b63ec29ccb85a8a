"""What the handler would say of a template's resources, said before anything is deployed.

cfn-lint finds its rules here, by their IDs: `cfn-lint TEMPLATE -a provider.lint`. They are made when it asks for
them, because importing cfn-lint takes half a second, which `python -m provider validate` need not pay.
"""

from .catalog import CHECKS


def __dir__() -> list[str]:
    return list(CHECKS)


def __getattr__(name: str) -> type:
    if name not in CHECKS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .rules import rule

    return rule(name)
