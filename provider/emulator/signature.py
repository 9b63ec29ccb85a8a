"""Who signed a request, and for which Region and service (AWS Signature Version 4).

The signature itself is not verified, because the emulator accepts any permanent access key.
"""

import re
from email.message import Message
from typing import NamedTuple

_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/[0-9]{8}/([^/,\s]+)/([^/,\s]+)/aws4_request,")


class Signature(NamedTuple):
    """The access key and the scope of a signature, and the session token sent with it; empty if there is none."""

    access_key: str
    region: str
    service: str
    token: str


def signature_of(headers: Message) -> Signature | None:
    """The signature of a request with these headers; None if it has none, or one of another form."""
    match = _CREDENTIAL.match(headers.get("Authorization", ""))
    return Signature(match[1], match[2], match[3], headers.get("X-Amz-Security-Token", "")) if match else None
