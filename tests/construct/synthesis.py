"""Synthesizes a CDK stack, with or without errors."""

from typing import Any

from aws_cdk import App, Stack


def template_of(stack: Stack) -> dict[str, Any]:
    """The stack's template."""
    app = stack.node.root
    assert isinstance(app, App)
    template: dict[str, Any] = app.synth(force=True, skip_validation=True).get_stack_by_name(stack.stack_name).template
    return template


def resources_of(stack: Stack, kind: str) -> list[dict[str, Any]]:
    """The template's resources of one type."""
    return [one for one in template_of(stack)["Resources"].values() if one["Type"] == kind]
