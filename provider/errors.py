"""The one error of this package: what went wrong, what is known of the call, and what the user can do.

A new error of the API is one row of `API_ERRORS`.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple


class Outcome(Enum):
    """What is known of a call that failed."""

    REFUSED = "refused"
    """It did not happen."""
    DENIED = "denied"
    """It did not happen: access was denied. A new role may gain access some seconds later."""
    UNSENT = "unsent"
    """It did not happen: the service could not be reached. The same call may succeed later."""
    OUT_OF_TIME = "out of time"
    """It did not happen: no time was left to send it."""
    UNKNOWN = "unknown"
    """It may have happened: there was no usable response, or the service failed."""
    EXISTS = "exists"
    """It did not happen: the resource already exists."""
    TOKEN_REUSED = "token reused"  # noqa: S105 - a state, not a secret
    """It did not happen: the client token was used before, with other content."""
    NOT_FOUND = "not found"
    """It did not happen: the configuration does not exist (anymore)."""
    IN_USE = "in use"
    """It did not happen: something else uses the configuration."""
    THROTTLED = "throttled"
    """It did not happen: there were too many calls. The same call may succeed later."""


class ProviderError(Exception):
    """Why a request fails. `str()` is the sentence for the stack's events, without `details`.

    `details` are further lines, most important first, shown as far as they fit; `omitted` more are only counted.
    `remediation` is what the user can do. `code` and `request_id` are from the API's response, if there was one.
    """

    def __init__(
        self,
        problem: str,
        *,
        remediation: str = "",
        details: tuple[str, ...] = (),
        omitted: int = 0,
        outcome: Outcome = Outcome.REFUSED,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remediation = remediation
        self.details = details
        self.omitted = omitted
        self.outcome = outcome
        self.code = code
        self.request_id = request_id

    def __str__(self) -> str:
        """The problem, the API's code and request ID unless the problem has them, and the remediation."""
        code = "" if self.code in self.problem else self.code
        request_id = "" if self.request_id in self.problem else f"API request ID {self.request_id}"
        reference = ", ".join(part for part in (code, request_id) if part)
        problem = f"{self.problem} ({reference})" if reference else self.problem
        return f"{problem}. {self.remediation}" if self.remediation else problem

    def citing(self, other: "ProviderError | None") -> "ProviderError":
        """The same error, with the code and request ID of the API error that led to it."""
        if other is not None and not self.request_id:
            self.code, self.request_id = other.code, other.request_id
        return self


_LONGEST_ID: Final = 128


class ApiError(NamedTuple):
    """What an error code of the API means: the outcome of the call, and what the user can do."""

    outcome: Outcome
    remediation: str


_RETRY_LATER: Final = "Service-side error: deploy again later"
_RENEW: Final = "The credentials of the provider's function have expired: deploy again"
_ALLOW: Final = (
    "Allow {operation} to the provider's role (and access to the KMS key, bucket, or launch template that it uses)"
)
_CORRECT: Final = "Correct the properties as the message says, then deploy again"

API_ERRORS: Final[Mapping[str, ApiError]] = {
    "AccessDeniedException": ApiError(Outcome.DENIED, _ALLOW),
    "AccessDenied": ApiError(Outcome.DENIED, _ALLOW),
    "ForbiddenException": ApiError(Outcome.DENIED, _ALLOW),
    "CallRateLimitExceededException": ApiError(Outcome.THROTTLED, _RETRY_LATER),
    "ThrottlingException": ApiError(Outcome.THROTTLED, _RETRY_LATER),
    "TooManyRequestsException": ApiError(Outcome.THROTTLED, _RETRY_LATER),
    "ServiceException": ApiError(Outcome.UNKNOWN, _RETRY_LATER),
    "ServiceUnavailableException": ApiError(Outcome.UNKNOWN, _RETRY_LATER),
    "InternalFailure": ApiError(Outcome.UNKNOWN, _RETRY_LATER),
    "ResourceAlreadyExistsException": ApiError(Outcome.EXISTS, "Choose another Name"),
    "IdempotentParameterMismatchException": ApiError(Outcome.TOKEN_REUSED, "Deploy again"),
    "ResourceNotFoundException": ApiError(Outcome.NOT_FOUND, "It was deleted meanwhile: deploy again"),
    "ResourceDependencyException": ApiError(Outcome.IN_USE, "Remove the resources that use it, then deploy again"),
    "ResourceInUseException": ApiError(Outcome.REFUSED, "Something else is changing it: deploy again later"),
    "ServiceQuotaExceededException": ApiError(
        Outcome.REFUSED, "Delete unused configurations, or request a higher quota"
    ),
    "ExpiredTokenException": ApiError(Outcome.REFUSED, _RENEW),
    "ExpiredToken": ApiError(Outcome.REFUSED, _RENEW),
}
"""The error codes with a meaning of their own; every other one is a rejection that the user has to look into."""


def api_error(operation: str, code: str, message: str, status: int, request_id: str) -> ProviderError:
    """Turn an error response of the API into a ProviderError. An unknown code counts by its HTTP status."""
    meaning = API_ERRORS.get(code)
    if meaning is None and status >= 500:
        meaning = ApiError(Outcome.UNKNOWN, _RETRY_LATER)
    elif meaning is None and status == 429:
        meaning = ApiError(Outcome.THROTTLED, _RETRY_LATER)
    elif meaning is None:
        meaning = ApiError(Outcome.REFUSED, _CORRECT)
    reference = f" (API request ID {request_id})" if request_id else ""
    return ProviderError(
        f"{operation} failed with {code}{reference}: {message.rstrip('. ')}",
        remediation=meaning.remediation.format(operation=f"imagebuilder:{operation}"),
        outcome=meaning.outcome,
        code=code,
        request_id=request_id,
    )


def request_id_of(response: Mapping[str, Any]) -> str:
    """The API's request ID in a response."""
    return str(response.get("requestId") or response.get("ResponseMetadata", {}).get("RequestId", ""))[:_LONGEST_ID]
