"""Fixtures of the construct's tests: an app and a stack in it. No assets are built."""

from pathlib import Path

import pytest

with pytest.MonkeyPatch.context() as patch:
    # On import, jsii starts Node.js, which may print that jsii no longer supports its version.
    patch.setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
    from aws_cdk import App, Stack

NOT_BUILT: dict[str, list[str]] = {"aws:cdk:bundling-stacks": []}
"""The CDK context that builds no stack's assets."""


@pytest.fixture
def app(tmp_path: Path) -> App:
    """A new app without the CDK's own validation of templates."""
    return App(outdir=str(tmp_path / "cdk.out"), context=NOT_BUILT, builtin_cloud_formation_validation=False)


@pytest.fixture
def stack(app: App) -> Stack:
    """A stack in the app."""
    return Stack(app, "images")
