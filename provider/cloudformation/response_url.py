"""The pre-signed URL that an answer goes to: whether it may be used, and how long.

Standard library only. The URL is a secret; nothing here quotes it.
"""

import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

_PRINTABLE: Final = re.compile(r"[!-~]+")
_LONGEST_LABEL: Final = 63
_VALID_SECONDS: Final = 7200


def is_safe(url: str) -> bool:
    """Whether an answer may be sent to this URL: https, or http that does not leave the machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    labels = ["ipv6"] if ":" in host else host.removesuffix(".").split(".")
    if _PRINTABLE.fullmatch(url) is None or not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def expiry(url: str) -> float | None:
    """When the URL's signature ends, in seconds since the epoch; None where the URL does not say.

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
    """When CloudFormation made the request, in seconds since the epoch; None if the URL does not show it.

    That is when it signed the URL, or two hours before a URL that shows only its end expires.
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
