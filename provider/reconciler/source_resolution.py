"""Resolves account sources: reads the accounts of organizational units and of SSM parameters.

It fails closed: an error, an unknown organizational unit, an incomplete list, or an empty result raises ProviderError.
This module is loaded only for a request with sources, and creates only the clients that the sources need.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..arn import Location
from ..aws import roles
from ..aws.client import client
from ..errors import Outcome, ProviderError
from ..observability import Logger
from ..schema.account_sources import (
    ORGANIZATIONAL_UNIT,
    PARAMETER,
    Source,
    find_sources,
    findings_once_resolved,
    with_accounts,
)
from ..schema.checkpoint import Checkpoint
from ..schema.expand import Expanded
from ..schema.finding import Finding, Path
from ..schema.rules import Rule
from .api_calls import ApiCalls

if TYPE_CHECKING:
    from ..cloudformation.deadline import Deadline

ORGANIZATIONS: Final = "organizations"
SSM: Final = "ssm"
OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    ORGANIZATIONS: ("ListAccountsForParent", "ListOrganizationalUnitsForParent"),
    SSM: ("GetParameter",),
}
"""The operations that are called, by service. The function's artifact contains no others of these services."""

_MAX_POSITIONS: Final = 5
"""How many invalid entries of a parameter a message counts out."""

_ACCOUNT_ID: Final = re.compile("[0-9]{12}", re.ASCII)
_ACTIVE: Final = "ACTIVE"
_STATES: Final = ("State", "Status")
"""The member with an account's state, and the older member that it replaces."""

_RECOVERABLE: Final = frozenset({Outcome.THROTTLED, Outcome.UNSENT, Outcome.UNKNOWN, Outcome.OUT_OF_TIME})
"""After such an error, other sources are not tried: retries have used up time already."""

_DENIED: Final[Mapping[str, str]] = {
    ORGANIZATIONS: "Set the provider's parameter OrganizationsRoleArn to a role of the organization's management "
    "account or of a delegated administrator that may call organizations:ListAccountsForParent and "
    "organizations:ListOrganizationalUnitsForParent. If the provider runs in such an account, set OrganizationsAccess "
    "to Allowed instead",
    SSM: "Set the provider's parameter SourceParameterPattern so that it matches the parameter's name",
}
"""What to do if access is denied, by service."""

_CHECK_ROLE: Final = "Check the provider's parameter OrganizationsRoleArn"
"""What to do if its role cannot be assumed, besides what STS's error requires."""

_REMEDIATIONS: Final[Mapping[str, str]] = {
    "ParentNotFoundException": "Correct the ID. It must be in the organization of the account that reads it",
    "AWSOrganizationsNotInUseException": "Set the provider's parameter OrganizationsRoleArn to a role of the "
    "organization's management account or of a delegated administrator",
    "ParameterNotFound": "Create the parameter in the provider's account and Region, or correct its name",
    "ParameterVersionNotFound": "Correct the version or label at the end of the parameter's name",
}
"""What to do about an error code."""

_INCOMPLETE: Final = "The list would be incomplete, so nothing was changed. Deploy again"

_EMPTY: Final = "A source must have at least one account"

Connect = Callable[[str], ApiCalls]
"""Returns the calls of a service."""


class SourceReader:
    """Reads sources for one request: each organizational unit and each parameter once.

    Organizations is read with the role `role_arn`, or with the function's own role if it is empty. The resource's
    `RoleArn` and `Region` do not matter.
    """

    def __init__(self, connect: Connect, role_arn: str) -> None:
        self._connect, self._role_arn = connect, role_arn
        self._calls: dict[str, ApiCalls] = {}
        self._units: dict[str, tuple[set[str], list[str]]] = {}
        self._parameters: dict[str, set[str]] = {}

    def accounts(self, source: Source) -> tuple[str, ...]:
        """Return the accounts of a source, sorted. There is at least one. Raises ProviderError."""
        read = {ORGANIZATIONAL_UNIT: self._in_unit, PARAMETER: self._in_parameter}[source.member]
        found = read(source.id)
        if not found - source.exceptions:
            without = " besides those in Except" if found else ""
            raise _unusable(f"there is no active account in it{without}", f"Correct the source, or remove it. {_EMPTY}")
        return tuple(sorted(found - source.exceptions))

    # organizational units

    def _in_unit(self, root: str) -> set[str]:
        """Return the active accounts in an organizational unit and in those beneath it."""
        found: set[str] = set()
        units = [root]
        for unit in units:
            accounts, children = self._read_unit(unit)
            found |= accounts
            units += [child for child in children if child not in units]
        return found

    def _read_unit(self, unit: str) -> tuple[set[str], list[str]]:
        """Return the active accounts and the organizational units directly in an organizational unit."""
        if unit not in self._units:
            accounts = {account["Id"] for account in self._list("Accounts", unit) if _is_active(account, unit)}
            children = [str(child["Id"]) for child in self._list("OrganizationalUnits", unit)]
            self._units[unit] = accounts, children
        return self._units[unit]

    def _list(self, member: str, unit: str) -> Iterator[Mapping[str, Any]]:
        """Yield the entries of all pages. An empty page may have a next one."""
        operation, seen = f"List{member}ForParent", set[str]()
        page: dict[str, Any] = {}
        while True:
            response = self._call(ORGANIZATIONS, operation, unit, member, ParentId=unit, **page)
            entries = response[member]
            if any(not entry.get("Id") for entry in entries):
                raise _unusable(f"{operation} of {unit} returned an entry without an ID")
            yield from entries
            token = response.get("NextToken")
            if not token:
                return
            if token in seen:
                raise _unusable(f"{operation} of {unit} returned the same NextToken twice")
            seen.add(token)
            page = {"NextToken": token}

    # parameters

    def _in_parameter(self, name: str) -> set[str]:
        if name not in self._parameters:
            self._parameters[name] = self._read_parameter(name)
        return self._parameters[name]

    def _read_parameter(self, name: str) -> set[str]:
        """Return the accounts in a parameter. No message quotes its value: the template's author may not read it."""
        parameter = self._call(SSM, "GetParameter", name, "Parameter", Name=name)["Parameter"]
        type_, value = parameter.get("Type"), parameter.get("Value", "")
        if type_ not in ("String", "StringList"):
            raise _unusable(f"the parameter is a {type_}", "Use a StringList or a String")
        if not value.strip():
            raise _unusable("the parameter is empty", _EMPTY)
        entries = [entry.strip() for entry in value.split(",")]
        invalid = [str(place) for place, entry in enumerate(entries, 1) if not _ACCOUNT_ID.fullmatch(entry)]
        if invalid:
            more = f" and {len(invalid) - _MAX_POSITIONS} more" if len(invalid) > _MAX_POSITIONS else ""
            places = f"{', '.join(invalid[:_MAX_POSITIONS])}{more} of its {len(entries)}"
            raise _unusable(
                f"the parameter has entries that are not account IDs of 12 digits: {places}",
                "Correct the parameter's value: account IDs, separated by commas",
            )
        return set(entries)

    # both

    def _call(self, service: str, operation: str, subject: str, expected: str, /, **parameters: str) -> dict[str, Any]:
        """Call an operation. Raises ProviderError with the remediation for a source."""
        if service not in self._calls:
            self._calls[service] = self._connect(service)
        location = Location(role=self._role_arn if service == ORGANIZATIONS else "")
        try:
            return self._calls[service].call(location, operation, subject, expected, **parameters)
        except ProviderError as error:
            if error.outcome is Outcome.DENIED:
                # Without a code, AssumeRole was denied.
                error.remediation = _DENIED[service] if error.code else f"{_CHECK_ROLE}. {error.remediation}"
            elif error.outcome is Outcome.THROTTLED:
                error.remediation = "The service throttled the calls; deploy again later"
            error.remediation = _REMEDIATIONS.get(error.code, error.remediation)
            raise


def reader_for(
    session_name: str,
    region: str | None,
    role_arn: str,
    deadline: "Deadline",
    seconds: float = math.inf,
    *,
    retries_denied: bool = False,
) -> SourceReader:
    """Return a reader in the function's Region. See `SourceReader` for `role_arn`, and `ApiCalls` for `retries_denied`.

    `session_name` is a resource's logical ID, or other text for the name of the role's session. `seconds` limits the
    time for all calls.
    """
    end = deadline.now() + seconds

    def connect(service: str) -> ApiCalls:
        create = partial(_client, session_name, service, region, deadline)
        return ApiCalls(create, deadline, retries_denied=retries_denied, end=end)

    return SourceReader(connect, role_arn)


def _client(
    session_name: str, service: str, region: str | None, deadline: "Deadline", location: Location, renew: bool
) -> Any:
    """Return the client of a service, with the credentials of the location's role if it has one."""
    if not location.role:
        return client(service, region)
    deadline.current_operation = f"AssumeRole of {location.role}"
    assumption = roles.Assumption(location.role)
    return client(service, region, roles.credentials(assumption, session_name, region, deadline.now, renew=renew))


def resolve_all(
    expanded: Expanded,
    reader: SourceReader,
    spelled: Callable[[Path], str],
    rules: tuple[Rule, ...],
    log: Logger,
    checkpoint: Checkpoint,
) -> tuple[dict[str, Any], dict[Path, tuple[str, ...]], Iterator[Finding]]:
    """Return valid API parameters with the accounts of their sources, these accounts, and the findings that they cause.

    `spelled` spells a path. Raises ProviderError with the failures of all sources.
    """
    sources = find_sources(expanded.parameters, expanded.schema, checkpoint)
    accounts = resolve(sources, reader, spelled)
    log.info("account sources resolved", accounts={str(one): len(accounts[path]) for path, one in sources.items()})
    parameters = with_accounts(expanded.parameters, expanded.schema, accounts)
    return parameters, accounts, findings_once_resolved(expanded, parameters, rules, checkpoint)


def resolve(
    sources: Mapping[Path, Source], reader: SourceReader, spelled: Callable[[Path], str]
) -> dict[Path, tuple[str, ...]]:
    """Return the accounts of each source, sorted. `spelled` spells a path.

    Raises ProviderError with the failures of all sources. A source at several paths is resolved and reported once.
    """
    resolved: dict[Source, tuple[str, ...]] = {}
    failed: dict[Source, ProviderError] = {}
    for path, source in sources.items():
        if source in resolved or source in failed:
            continue
        try:
            resolved[source] = reader.accounts(source)
        except ProviderError as error:
            failed[source] = ProviderError(
                f"{spelled(path)}: {source} could not be resolved: {error.problem}",
                remediation=error.remediation,
                outcome=error.outcome,
                code=error.code,
                request_id=error.request_id,
            )
            if error.outcome in _RECOVERABLE:
                break
    if failed:
        raise _combined([*failed.values()])
    return {path: resolved[source] for path, source in sources.items()}


def _combined(failures: list[ProviderError]) -> ProviderError:
    first, *others = failures
    if not others:
        return first
    return ProviderError(
        f"{len(failures)} account sources could not be resolved; nothing was changed",
        details=tuple(map(str, failures)),
        outcome=first.outcome,
    )


def _is_active(account: Mapping[str, Any], unit: str) -> bool:
    """Return whether an account is active. Raises ProviderError if the response does not show it."""
    state = next((account[member] for member in _STATES if member in account), None)
    if state is None or not _ACCOUNT_ID.fullmatch(account["Id"]):
        raise _unusable(f"ListAccountsForParent of {unit} returned an account without an ID of 12 digits or a state")
    return bool(state == _ACTIVE)


def _unusable(problem: str, remediation: str = _INCOMPLETE) -> ProviderError:
    return ProviderError(problem, remediation=remediation)
