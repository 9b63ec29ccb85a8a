"""The functions' code as CDK assets. The build uses pip, not Docker, and is reproducible."""

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
_NOT_PACKAGED: Final = ("**/__pycache__", *(f"/{tool}" for tool in TOOLS if tool != "build"))


def code(function: str) -> Code:
    """The code of the function with this logical ID in template.yaml.

    It is built when its stack is synthesized, unless the output folder has it from an earlier synth: the asset's hash
    is that of its sources. Raises BuildError if the build fails.
    """
    return Code.from_asset(str(_SOURCE), asset_hash=_hash(function), bundling=_bundling(function))


@cache
def _hash(function: str) -> str:
    exclude = list(_NOT_PACKAGED)
    # Without a Python of the runtime's version, the build has no bytecode and is a different asset.
    python = interpreter()
    extra = f"{function} {python.version if python else 'without bytecode'}"
    return FileSystem.fingerprint(str(_SOURCE), exclude=exclude, ignore_mode=IgnoreMode.GIT, extra_hash=extra)


@cache
def _bundling(function: str) -> BundlingOptions:
    # The CDK requires an image. It never runs, because the local build succeeds or raises.
    return BundlingOptions(image=DockerImage.from_registry("none"), command=[function], local=_Build())


@jsii.implements(ILocalBundling)
class _Build:
    """Builds locally, which the CDK tries before Docker."""

    def try_bundle(self, output_dir: str, *, command: Sequence[str] | None = None, **_others: Any) -> bool:
        """Build the functions named by the command in the output folder."""
        for function in command or ():
            build(function, Path(output_dir))
        return True
