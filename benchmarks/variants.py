"""The variants that are compared."""

from dataclasses import dataclass
from typing import Final

from benchmarks.scene import GET
from provider.schema.model import UPDATE

CRHELPER: Final = ("boto3", "crhelper")


@dataclass(frozen=True)
class Variant:
    """One way to serve an Update. `packages` are installed for it from the lock file.

    `calls` are its calls per event; `responds` is whether it sends a response. `bytecode` is whether the artifact
    contains bytecode, and `stays_warm` whether a process can serve several events. `ships_cas` is whether it uses the
    CAs in its artifact instead of a bundle from the environment.
    """

    name: str
    title: str
    handler: str
    packages: tuple[str, ...] = ()
    calls: tuple[str, ...] = (GET, UPDATE, GET)
    responds: bool = True
    bytecode: bool = True
    stays_warm: bool = True
    ships_cas: bool = False


def _peer(module: str, title: str, *packages: str) -> Variant:
    return Variant(module, title, f"{module}.handler", packages)


PLAIN: Final = _peer("plain", "plain botocore client + PUT", "botocore")
OURS: Final = Variant("ours", "**this provider**", "provider.handler.handler")
AS_DEPLOYED: Final = Variant(
    "as_deployed", "**this provider**, with the CAs it ships", "provider.handler.handler", ships_cas=True
)
CDK: Final = Variant("cdk", "CDK AwsCustomResource's handler (Node, only the Update)", "index.handler", calls=(UPDATE,))
_CLI: Final = Variant(
    "aws_cli",
    "AWS CLI v1 (only the Update)",
    "aws_cli.handler",
    ("awscli",),
    calls=(UPDATE,),
    responds=False,
    stays_warm=False,
)
_UNCOMPILED: Final = Variant(
    "uncompiled",
    "plain, without valid bytecode",
    "plain.handler",
    ("botocore",),
    bytecode=False,
    stays_warm=False,
)
RUNTIME_CLIENT: Final = Variant(
    "runtime_client", "Lambda's runtime client, which runs the others", "", ("awslambdaric",)
)
POWERTOOLS: Final = _peer("crhelper_powertools", "crhelper + Logger + Metrics", *CRHELPER, "aws-lambda-powertools")

VARIANTS: Final = (
    OURS,
    AS_DEPLOYED,
    _peer("usual_crhelper", "crhelper", *CRHELPER),
    POWERTOOLS,
    _peer(
        "crhelper_tracer", "crhelper + Logger + Metrics + Tracer", *CRHELPER, "aws-lambda-powertools", "aws-xray-sdk"
    ),
    _peer("resource_provider", "cfn-resource-provider", "boto3", "cfn-resource-provider"),
    _peer("accustom_decorator", "accustom", "boto3", "accustom"),
    _peer("cfn_handler_resource", "cfn-handler", "boto3", "cfn-handler"),
    CDK,
    _CLI,
    _UNCOMPILED,
    _peer("floor", "standard library only (lower bound)"),
)
"""All variants except the plain client, which each of them is compared with."""
