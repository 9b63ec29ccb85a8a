"""botocore's service model as a tree of `Schema`, which all other code reads.

What the resource adds to the API, and what the service model lacks, are tables in this module.
"""

import re
from collections.abc import Mapping
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

SERVICE: Final = "imagebuilder"
FOR_CREDENTIALS: Final = ("sts", "sso", "sso-oidc", "signin")
"""The services that botocore's credential providers call."""

FOR_SOURCES: Final = ("organizations", "ssm")
"""The services that `reconciler.source_resolution` calls. Their clients are created only for a request with sources."""

SERVICES: Final = (SERVICE, *FOR_CREDENTIALS, *FOR_SOURCES)
"""The only services whose data and event handlers are loaded. A resource type of another service is a name here."""

LEDGER_SERVICE: Final = "dynamodb"
"""The service of the ledger, whose data is loaded only for a provider with a ledger."""

UPDATE: Final = "UpdateDistributionConfiguration"
CREATE: Final = "CreateDistributionConfiguration"

TARGET: Final = "distributionConfigurationArn"
NAME: Final = "name"
TAGS: Final = "tags"
CLIENT_TOKEN: Final = "clientToken"  # noqa: S105 - the name of a member, not a secret
"""The members that are not content: the configuration, its name, its tags, and the client token."""

DISTRIBUTIONS: Final = "distributions"
REGION: Final = "region"
"""The list of distributions, and the member of its entries that is the target Region. The property of the same name
is the configuration's Region."""

FROM_CREATE: Final = (NAME, TAGS)
"""Members of the Create call that are properties, although the Update call lacks them."""

REFUSED: Final = {CLIENT_TOKEN: "the client token is always the request's ID; omit this property"}
"""Members of the API that are not properties, with the message for a template that has them."""

SERVICE_TOKEN: Final = "ServiceToken"  # noqa: S105 - the name of a property
IGNORED: Final = frozenset({SERVICE_TOKEN, "ServiceTimeout"})
"""CloudFormation's own properties, which it passes on to the provider."""

ALIASES: Final = {("AmiDistributionConfiguration", "launchPermission"): "launchPermissionConfiguration"}
"""Other names of a member, from the native resource and its documentation: by shape and member."""

DEFAULTS: Final[Mapping[tuple[str, str], object]] = {("LaunchTemplateConfiguration", "setDefaultVersion"): True}
"""The service's default for an omitted member, by shape and member."""

LIST_KEYS: Final = {
    "DistributionList": REGION,
    "LaunchTemplateConfigurationList": "launchTemplateId",
    "FastLaunchConfigurationList": "accountId",
    "SsmParameterConfigurationList": "parameterName",
}
"""Lists of structures whose order has no meaning, by shape, with the member that identifies an entry."""

RANGES: Final = {"integer": 2**31, "long": 2**63}
"""Bounds of the service's integers: from minus this to this minus one."""

HINTS: Final = {"AccountId": "an account ID has 12 digits; quote it in YAML, where a leading zero can mean octal"}
"""Advice for the documentation, by shape."""

_ROLE_ARN: Final = r"^arn:aws[^:]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$"

HAVE_SOURCES: Final = frozenset({"AccountId"})
"""The shapes whose lists also accept sources, as `account_sources` defines them."""

PROPERTIES: Final = "Properties"
"""The shape name of the schema of all properties of a resource type."""

PATTERNS: Final[Mapping[str, str]] = {
    "^[0-9]{12}$": "12 digits, including leading zeros",
    "^[-_A-Za-z-0-9][-_A-Za-z0-9 ]{1,126}[-_A-Za-z-0-9]$": (
        "3 to 128 letters, digits, spaces, hyphens, or underscores, without a space at either end"
    ),
    r"^[-_A-Za-z0-9{][-_A-Za-z0-9\s:{}\.]+[-_A-Za-z0-9}]$": (
        "3 or more letters, digits, spaces, or any of - _ : . { }, without a space, colon, or period at either end"
    ),
    r"^(?!aws:)[a-zA-Z0-9\s_.:/=+\-@]*$": "letters, digits, spaces, or any of _ . : / = + - @, not beginning with aws:",
    r"^[a-zA-Z0-9_.\-\/]+$": "letters, digits, or any of _ . - /",
    "^lt-[a-z0-9-_]{17}$": "a launch template's ID: lt- and 17 lowercase letters or digits",
    "^arn:aws[^:]*:imagebuilder:[^:]+:(?:[0-9]{12}|aws):distribution-configuration/[a-z0-9-_]+$": (
        "the ARN of a distribution configuration"
    ),
    "^[a-z]{2,}(-[a-z]+)+-[0-9]+$": "a Region name like us-east-1",
    _ROLE_ARN: "the ARN of an IAM role",
    "^arn:aws[^:]*:organizations::[0-9]{12}:organization/o-[a-z0-9]{10,32}$": "the ARN of an organization",
    "^arn:aws[^:]*:organizations::[0-9]{12}:ou/o-[a-z0-9]{10,32}/ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}": (
        "the ARN of an organizational unit"
    ),
    "^arn:aws[^:]*:license-manager:[^:]+:[0-9]{12}:license-configuration:lic-[a-z0-9-_]{32}$": (
        "the ARN of a license configuration"
    ),
    "^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$": (
        "the ID of an organizational unit (ou-...) or of a root (r-...)"
    ),
    r"^(arn:aws[^:]*:ssm:[^:]+:[0-9]{12}:parameter/)?[a-zA-Z0-9_.\-/]+(:[a-zA-Z0-9_.\-]+)?$": (
        "the name or the ARN of an SSM parameter"
    ),
}
"""The patterns of the service model in words. A new pattern has none until it has a row here."""

VARIANTS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "AccountSource": (("organizationalUnit", "except"), ("parameter",)),
}
"""The structures that are a union, by shape: the members of each variant. The first is required, no other is."""

ON_DELETE: Final = "onDelete"
DELETE: Final = "Delete"
RETAIN: Final = "Retain"

ROLE: Final = "roleArn"
"""The role to assume for the resource's calls."""

CONTRIBUTIONS: Final = "contributions"
"""The paths at which an owner allows the parts of other resources."""


class Schema:
    """The schema of a value in the resource's properties, from the service model.

    `type_name` is botocore's: structure, list, map, string, integer, boolean, ...
    `minimum` and `maximum` limit the length of strings, lists, and maps, and the value of integers.
    `members` of a structure have their API names as keys. `item` is the schema of a list's entries or a map's values.
    A dataclass would make each cold start longer.
    """

    def __init__(
        self,
        type_name: str,
        shape: str,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        pattern: str | None = None,
        enum: tuple[str, ...] = (),
        members: "Mapping[str, Schema]" = MappingProxyType({}),
        required: tuple[str, ...] = (),
        item: "Schema | None" = None,
        key: "Schema | None" = None,
    ) -> None:
        self.type_name: Final = type_name
        self.shape: Final = shape
        self.minimum: Final = minimum
        self.maximum: Final = maximum
        self.pattern: Final = pattern
        self.enum: Final = enum
        self.members: Final = members
        self.required: Final = required
        self.item: Final = item
        self.key: Final = key

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Each name that a user may write for a member -> the member's API name."""
        return {
            spelling: member
            for member in self.members
            for name in (member, ALIASES.get((self.shape, member)))
            if name
            for spelling in (name, pascal_case(name))
        }

    @cached_property
    def regex(self) -> re.Pattern[str] | None:
        """The pattern with Java's semantics: ASCII classes, and a `$` that does not match before a trailing newline."""
        if self.pattern is None:
            return None
        pattern = self.pattern
        if pattern.endswith("$") and not pattern.endswith(r"\$"):
            pattern = pattern[:-1] + r"\Z"
        return re.compile(pattern, re.ASCII)

    @cached_property
    def list_key(self) -> str | None:
        """The member that identifies an entry of this list; None if the order of the entries has a meaning."""
        return LIST_KEYS.get(self.shape)

    @cached_property
    def source(self) -> "Schema | None":
        """The schema of a source: a mapping that, in a list of this schema's values, is resolved to any number of them.

        None if there are no sources of such values.
        """
        if self.shape not in HAVE_SOURCES:
            return None
        from .account_sources import ACCOUNT_SOURCE  # imported here because only lists with sources need it

        return ACCOUNT_SOURCE

    def of(self, value: object) -> "Schema":
        """Return the schema of an entry in a list of this schema's values: that of a source for a mapping."""
        return self.source or self if isinstance(value, Mapping) else self

    @cached_property
    def is_scalar(self) -> bool:
        """Whether a value contains no other values."""
        return self.item is None and self.type_name != "structure"

    def replace(self, **changes: Any) -> "Schema":
        """Return a copy with other values of some of the constructor's arguments."""
        names = ("type_name", "shape", "minimum", "maximum", "pattern", "enum", "members", "required", "item", "key")
        return Schema(**{name: getattr(self, name) for name in names} | changes)

    def default(self, member: str) -> object:
        """Return the service's default for an omitted member of this structure; None if there is none."""
        return DEFAULTS.get((self.shape, member))


PROVIDER_PROPERTIES: Final[Mapping[str, Schema]] = {
    ON_DELETE: Schema(type_name="string", shape="OnDelete", enum=(DELETE, RETAIN)),
    REGION: Schema(type_name="string", shape="Region", pattern="^[a-z]{2,}(-[a-z]+)+-[0-9]+$"),
    ROLE: Schema(type_name="string", shape="RoleArn", maximum=2048, pattern=_ROLE_ARN),
    CONTRIBUTIONS: Schema(
        type_name="list", shape="Contributions", item=Schema(type_name="string", shape="ContributionPath")
    ),
}
"""Properties that the API lacks, in camelCase like the API's. A new one is a row here."""


def pascal_case(name: str) -> str:
    """Return an API member's name as CloudFormation writes it: `kmsKeyId` -> `KmsKeyId`."""
    return name[:1].upper() + name[1:]


def camel_case(name: str) -> str:
    """Return a property's name as the API writes it: `KmsKeyId` -> `kmsKeyId`."""
    return name[:1].lower() + name[1:]


class _ServiceLoader(Loader):
    """botocore's loader, limited to our services. It would search the folders of all 440 services for each model."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - our services have every type
        return [*SERVICES, LEDGER_SERVICE]


@cache
def loader() -> Loader:
    """Return the loader of botocore's data files. The API clients share it, so that each file is read once."""
    return _ServiceLoader()


@cache
def region_names() -> re.Pattern[str]:
    """Return the pattern of the Region names of all partitions."""
    return re.compile("|".join(partition["regionRegex"] for partition in _partitions()), re.ASCII)


@cache
def known_regions() -> frozenset[str]:
    """Return the names of the Regions of all partitions that botocore knows. There may be newer Regions."""
    names = (name for partition in _partitions() for name in partition["regions"])
    return frozenset(name for name in names if not name.endswith("-global"))  # botocore's name for a whole partition


def partition_of(region: str) -> str:
    """Return the partition of a Region; empty if the name may be a Region of any or none."""
    for partition in _partitions():
        if region in partition["regions"] or re.fullmatch(partition["regionRegex"], region, re.ASCII):
            return str(partition["id"])
    return ""


def _partitions() -> list[dict[str, Any]]:
    partitions: list[dict[str, Any]] = loader().load_data("partitions")["partitions"]
    return partitions


@cache
def service_model() -> ServiceModel:
    """Return the pinned botocore's model of the service."""
    return ServiceModel(loader().load_service_model(SERVICE, "service-2"), SERVICE)


@cache
def distribution_configuration() -> Schema:
    """Return the schema of a distribution configuration's properties.

    It has the members of the Update call without the client token, `name` and `tags` of the Create call, and the
    provider's own properties.
    """
    update, create = operation(UPDATE), operation(CREATE)
    members = {name: member for name, member in update.members.items() if name not in REFUSED}
    members |= {name: create.members[name] for name in FROM_CREATE}
    # As in the native resource, an empty mapping means no tags.
    tags = members[TAGS]
    members[TAGS] = Schema(tags.type_name, tags.shape, maximum=tags.maximum, item=tags.item, key=tags.key)
    members |= PROVIDER_PROPERTIES
    required = tuple(name for name in update.required if name in create.required and name not in REFUSED)
    return Schema(type_name="structure", shape=PROPERTIES, members=members, required=required)


@cache
def content_members() -> tuple[str, ...]:
    """Return the members that an Update replaces: those of the Update call without the ARN and the client token."""
    return tuple(name for name in operation(UPDATE).members if name not in (TARGET, CLIENT_TOKEN))


@cache
def operation(name: str) -> Schema:
    """Return the schema of an operation's input."""
    model: OperationModel = service_model().operation_model(name)
    if model.input_shape is None:
        return Schema(type_name="structure", shape=name)
    return _walk(model.input_shape.name)


@cache
def _walk(shape_name: str) -> Schema:
    shape: Shape = service_model().shape_for(shape_name)
    limits = shape.metadata
    bound = RANGES.get(shape.type_name)
    item = getattr(shape, "member", None) or getattr(shape, "value", None)
    key = getattr(shape, "key", None)
    return Schema(
        type_name=shape.type_name,
        shape=shape.name,
        minimum=limits.get("min", -bound if bound else None),
        maximum=limits.get("max", bound - 1 if bound else None),
        pattern=limits.get("pattern"),
        enum=tuple(limits.get("enum", ())),
        members={name: _walk(member.name) for name, member in getattr(shape, "members", {}).items()},
        required=tuple(limits.get("required", ())),
        item=_walk(item.name) if item is not None else None,
        key=_walk(key.name) if key is not None else None,
    )
