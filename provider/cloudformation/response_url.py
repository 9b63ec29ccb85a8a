"""The presigned URL for the response: whether it is safe to use, and when it expires.

Standard library only. The URL is a secret: no error or log line quotes it.
"""

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

_MAX_LABEL: Final = 63
"""Characters between two dots of a host name (RFC 1035)."""
_VALID_SECONDS: Final = 7200
"""How long CloudFormation's response URLs are valid."""


def is_safe(url: str) -> bool:
    """Return whether a response may be sent to this URL: https to any host, or http to a loopback address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if not (url.isascii() and url.isprintable() and " " not in url and _is_host(host)):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_host(host: str) -> bool:
    """Return whether a host name has no label that is empty or too long."""
    labels = ["ipv6"] if ":" in host else host.removesuffix(".").split(".")
    return all(0 < len(label) <= _MAX_LABEL for label in labels)


def expiry(url: str) -> float | None:
    """Return when the URL expires, in seconds since the epoch; None if the URL does not show it.

    Source: Amazon S3, signature version 4 (`X-Amz-Date`, `X-Amz-Expires`) and version 2 (`Expires`).
    """
    query = _query(url)
    try:
        if "x-amz-date" in query:
            return _signed(query) + int(query["x-amz-expires"])
        return float(int(query["expires"]))
    except (KeyError, ValueError, OverflowError):
        return None


def request_date(url: str) -> float | None:
    """Return when CloudFormation made the request, in seconds since the epoch; None if the URL does not show it.

    That is the date of the URL's signature. If the URL shows only its expiry, it is two hours earlier.
    """
    query = _query(url)
    try:
        return _signed(query) if "x-amz-date" in query else float(int(query["expires"])) - _VALID_SECONDS
    except (KeyError, ValueError, OverflowError):
        return None


def _query(url: str) -> dict[str, str]:
    return {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _signed(query: Mapping[str, str]) -> float:
    return datetime.strptime(query["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
