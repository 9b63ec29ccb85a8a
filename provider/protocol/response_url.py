"""The pre-signed URL that an answer goes to: whether it may be used, and how long.

Standard library only. The URL is a secret; nothing here quotes it.
"""

import ipaddress
import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

_PRINTABLE: Final = re.compile(r"[!-~]+")
_LONGEST_LABEL: Final = 63


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
    query = {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    try:
        if "x-amz-date" in query:
            signed = datetime.strptime(query["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return signed.timestamp() + int(query["x-amz-expires"])
        return float(int(query["expires"]))
    except (KeyError, ValueError, OverflowError):
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
