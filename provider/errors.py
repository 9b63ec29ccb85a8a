"""ProviderError: the problem, the outcome of the failed call, and the remediation.

A new error code of the API is one row of `API_ERRORS`.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple


class Outcome(Enum):
    """The outcome of a call that failed. Unless the outcome is unknown, the call had no effect."""

    REFUSED = "refused"
    """The API or the provider rejected it."""
    DENIED = "denied"
    """Access was denied. A new role may gain access some seconds later."""
    UNSENT = "unsent"
    """The service could not be reached. The same call may succeed later."""
    OUT_OF_TIME = "out of time"
    """No time was left to send it."""
    UNKNOWN = "unknown"
    """It may have had an effect: there was no usable response, or the service failed."""
    EXISTS = "exists"
    """The resource already exists."""
    TOKEN_REUSED = "token reused"  # noqa: S105 - a state, not a secret
    """The client token was used before, with different content."""
    NOT_FOUND = "not found"
    """The configuration does not exist (anymore)."""
    IN_USE = "in use"
    """Another resource uses the configuration."""
    THROTTLED = "throttled"
    """There were too many calls. The same call may succeed later."""


class ProviderError(Exception):
    """The reason why a request fails. `str()` is the text for the stack's events, without `details`.

    `details` are more lines, the most important first, of which the response shows as many as fit. `omitted` counts
    those that are not in `details`. `code` and `request_id` are from the API's response, if there was one.
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
        """Return the problem, the API's code and request ID unless the problem has them, and the remediation."""
        code = "" if self.code in self.problem else self.code
        request_id = "" if self.request_id in self.problem else f"API request ID {self.request_id}"
        reference = ", ".join(part for part in (code, request_id) if part)
        problem = f"{self.problem} ({reference})" if reference else self.problem
        return f"{problem}. {self.remediation}" if self.remediation else problem

    def citing(self, other: "ProviderError | None") -> "ProviderError":
        """Return this error with the code and request ID of the API error that caused it."""
        if other is not None and not self.request_id:
            self.code, self.request_id = other.code, other.request_id
        return self


_MAX_REQUEST_ID: Final = 128


class ApiError(NamedTuple):
    """The meaning of an error code of the API."""

    outcome: Outcome
    remediation: str


_RETRY_LATER: Final = "Service-side error; deploy again later"
_THROTTLED: Final = "Image Builder throttled the calls; deploy again later"
_RENEW: Final = "The credentials of the provider's function, or of the role in RoleArn, have expired; deploy again"
_WRONG_REGION: Final = (
    "The credentials are not valid in this Region: either the account has not enabled the Region, or the Region is in "
    "another partition, which needs a provider of its own"
)
_ALLOW: Final = (
    "Allow the provider's role to call imagebuilder:{operation} (and to access the KMS key, bucket, or launch template "
    "involved)"
)
_CORRECT: Final = "Correct the properties as the message says, then deploy again"

API_ERRORS: Final[Mapping[str, ApiError]] = {
    "AccessDeniedException": ApiError(Outcome.DENIED, _ALLOW),
    "AccessDenied": ApiError(Outcome.DENIED, _ALLOW),
    "ForbiddenException": ApiError(Outcome.DENIED, _ALLOW),
    "CallRateLimitExceededException": ApiError(Outcome.THROTTLED, _THROTTLED),
    "ThrottlingException": ApiError(Outcome.THROTTLED, _THROTTLED),
    "TooManyRequestsException": ApiError(Outcome.THROTTLED, _THROTTLED),
    "Throttling": ApiError(Outcome.THROTTLED, _THROTTLED),
    "ServiceException": ApiError(Outcome.UNKNOWN, _RETRY_LATER),
    "ServiceUnavailableException": ApiError(Outcome.UNKNOWN, _RETRY_LATER),
    "InternalFailure": ApiError(Outcome.UNKNOWN, _RETRY_LATER),
    "ResourceAlreadyExistsException": ApiError(Outcome.EXISTS, "Choose another Name"),
    "IdempotentParameterMismatchException": ApiError(Outcome.TOKEN_REUSED, "Deploy again"),
    "ResourceNotFoundException": ApiError(
        Outcome.NOT_FOUND, "The configuration was deleted in the meantime; deploy again"
    ),
    "ResourceDependencyException": ApiError(Outcome.IN_USE, "Remove the resources that use it, then deploy again"),
    "ResourceInUseException": ApiError(Outcome.REFUSED, "Something else is changing it; deploy again later"),
    "ServiceQuotaExceededException": ApiError(
        Outcome.REFUSED, "Delete unused configurations, or request a higher quota"
    ),
    "ExpiredTokenException": ApiError(Outcome.REFUSED, _RENEW),
    "ExpiredToken": ApiError(Outcome.REFUSED, _RENEW),
    "UnrecognizedClientException": ApiError(Outcome.REFUSED, _WRONG_REGION),
    "InvalidClientTokenId": ApiError(Outcome.REFUSED, _WRONG_REGION),
}
"""The error codes that need a specific reaction. Any other code is a rejection of the properties."""

EXPIRED: Final = ("ExpiredTokenException", "ExpiredToken")
"""The error codes of expired credentials."""


def api_error(operation: str, code: str, message: str, status: int, request_id: str) -> ProviderError:
    """Convert an error response of the API. The meaning of an unknown code depends on its HTTP status."""
    meaning = API_ERRORS.get(code)
    if meaning is None and status >= 500:
        meaning = ApiError(Outcome.UNKNOWN, _RETRY_LATER)
    elif meaning is None and status == 429:
        meaning = ApiError(Outcome.THROTTLED, _THROTTLED)
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
    """Return the API's request ID from a response."""
    return str(response.get("requestId") or response.get("ResponseMetadata", {}).get("RequestId", ""))[:_MAX_REQUEST_ID]
