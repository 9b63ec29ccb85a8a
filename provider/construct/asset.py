"""The functions' code as assets of the CDK, built by pip: no Docker, and the same bytes on every machine."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsii
from aws_cdk import BundlingOptions, DockerImage, FileSystem, IgnoreMode, ILocalBundling
from aws_cdk.aws_lambda import Code

from ..build.artifact import TOOLS, build
from ..build.shrink import interpreter

_SOURCE: Final = Path(__file__).parents[1]
_NOT_BUILT_FROM: Final = ("**/__pycache__", *(f"/{tool}" for tool in TOOLS if tool != "build"))


def code(function: str) -> Code:
    """The code of the function with this logical ID in template.yaml.

    It is built where its stack is synthesised, and only if the output folder does not have it from an earlier synth:
    the hash is that of what it is built from. BuildError where it cannot be built.
    """
    return Code.from_asset(str(_SOURCE), asset_hash=_hash(function), bundling=_bundling(function))


@cache
def _hash(function: str) -> str:
    exclude = list(_NOT_BUILT_FROM)
    # Without a Python of the runtime's version the build has no byte code: that is another asset.
    python = interpreter()
    extra = f"{function} {python.version if python else 'without byte code'}"
    return FileSystem.fingerprint(str(_SOURCE), exclude=exclude, ignore_mode=IgnoreMode.GIT, extra_hash=extra)


@cache
def _bundling(function: str) -> BundlingOptions:
    # The CDK asks for an image; it is never run, as the build on this machine comes first.
    return BundlingOptions(image=DockerImage.from_registry("none"), command=[function], local=_Build())


@jsii.implements(ILocalBundling)
class _Build:
    """Builds on this machine, which the CDK asks for before it would turn to Docker."""

    def try_bundle(self, output_dir: str, *, command: Sequence[str] | None = None, **_others: Any) -> bool:
        """Build the functions that the command names into the folder."""
        for function in command or ():
            build(function, Path(output_dir))
        return True
