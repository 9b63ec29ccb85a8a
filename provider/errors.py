"""The one error of this project: what went wrong, whose turn it is, and what the user can do.

A new error of the API is one row of `API_ERRORS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Fault(Enum):
    """Whose turn it is to change something."""

    USER = "user"
    SERVICE = "service"
    TIME = "time"


class Outcome(Enum):
    """What is known of a call that failed."""

    REFUSED = "refused"
    """It did not happen."""
    UNKNOWN = "unknown"
    """It may have happened: no answer, a broken one, or a failure inside the service."""
    EXISTS = "exists"
    """It did not happen: what it would create is there already."""
    TOKEN_SPENT = "token spent"  # noqa: S105 - a state, not a secret
    """It did not happen: its client token was used with other content before."""
    THROTTLED = "throttled"
    """It did not happen: too many calls. The same call will do later."""


class ProviderError(Exception):
    """Why a request fails. `str()` is the sentence for the stack's events, without `details`.

    `details` are further lines, most important first, shown as far as they fit.
    `cure` is what the user can do. `code` and `request_id` are the API's, where it spoke.
    """

    def __init__(
        self,
        problem: str,
        *,
        cure: str = "",
        details: tuple[str, ...] = (),
        fault: Fault = Fault.USER,
        outcome: Outcome = Outcome.REFUSED,
        code: str = "",
        request_id: str = "",
    ) -> None:
        reference = f" (API request ID {request_id})" if request_id else ""
        super().__init__(f"{problem}{reference}{f'. {cure}' if cure else ''}")
        self.problem = problem
        self.cure = cure
        self.details = details
        self.fault = fault
        self.outcome = outcome
        self.code = code
        self.request_id = request_id


@dataclass(frozen=True)
class ApiError:
    """What an error code of the API means for us."""

    outcome: Outcome
    fault: Fault
    cure: str


_RETRY_LATER: Final = "This is the service's trouble, not the template's: deploy again later"
_ALLOW: Final = "Allow {operation} to the provider's role (and what it touches: the KMS key, bucket or launch template)"
_CORRECT: Final = "Look into the message, correct the properties and deploy again"

API_ERRORS: Final[Mapping[str, ApiError]] = {
    "AccessDeniedException": ApiError(Outcome.REFUSED, Fault.USER, _ALLOW),
    "AccessDenied": ApiError(Outcome.REFUSED, Fault.USER, _ALLOW),
    "ForbiddenException": ApiError(Outcome.REFUSED, Fault.USER, _ALLOW),
    "CallRateLimitExceededException": ApiError(Outcome.THROTTLED, Fault.SERVICE, _RETRY_LATER),
    "ThrottlingException": ApiError(Outcome.THROTTLED, Fault.SERVICE, _RETRY_LATER),
    "TooManyRequestsException": ApiError(Outcome.THROTTLED, Fault.SERVICE, _RETRY_LATER),
    "ServiceException": ApiError(Outcome.UNKNOWN, Fault.SERVICE, _RETRY_LATER),
    "ServiceUnavailableException": ApiError(Outcome.UNKNOWN, Fault.SERVICE, _RETRY_LATER),
    "InternalFailure": ApiError(Outcome.UNKNOWN, Fault.SERVICE, _RETRY_LATER),
    "ResourceAlreadyExistsException": ApiError(Outcome.EXISTS, Fault.USER, "Choose another Name"),
    "IdempotentParameterMismatchException": ApiError(Outcome.TOKEN_SPENT, Fault.SERVICE, "Deploy again"),
    "ResourceInUseException": ApiError(
        Outcome.REFUSED, Fault.SERVICE, "Something else is changing it: deploy again later"
    ),
    "ServiceQuotaExceededException": ApiError(
        Outcome.REFUSED, Fault.USER, "Delete what is not needed or ask for a higher quota"
    ),
    "ExpiredTokenException": ApiError(Outcome.REFUSED, Fault.SERVICE, _RETRY_LATER),
}
"""The error codes that mean something particular; every other one is a refusal that the user has to look into."""


def api_error(operation: str, code: str, message: str, status: int, request_id: str) -> ProviderError:
    """Turn an error that the API answered into ours. An unknown code counts by its HTTP status."""
    known = API_ERRORS.get(code)
    if known is None and status >= 500:
        known = ApiError(Outcome.UNKNOWN, Fault.SERVICE, _RETRY_LATER)
    elif known is None and status == 429:
        known = ApiError(Outcome.THROTTLED, Fault.SERVICE, _RETRY_LATER)
    elif known is None:
        known = ApiError(Outcome.REFUSED, Fault.USER, _CORRECT)
    return ProviderError(
        f"{operation} failed with {code}: {message.rstrip('. ')}",
        cure=known.cure.format(operation=f"imagebuilder:{operation}"),
        fault=known.fault,
        outcome=known.outcome,
        code=code,
        request_id=request_id,
    )
