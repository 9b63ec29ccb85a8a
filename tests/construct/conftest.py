"""What tests of the construct share: an app and a stack in it. No assets are built."""

from pathlib import Path

import pytest

with pytest.MonkeyPatch.context() as patch:
    # jsii starts node as it is imported, which would say on its way whether jsii's authors still support it.
    patch.setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
    from aws_cdk import App, Stack

NOT_BUILT: dict[str, list[str]] = {"aws:cdk:bundling-stacks": []}
"""The CDK's own word for: no stack's assets are wanted."""


@pytest.fixture
def app(tmp_path: Path) -> App:
    """A fresh app, whose templates only we check."""
    return App(outdir=str(tmp_path / "cdk.out"), context=NOT_BUILT, builtin_cloud_formation_validation=False)


@pytest.fixture
def stack(app: App) -> Stack:
    """A stack of it."""
    return Stack(app, "images")
