"""The lower bound: only the standard library, with hand-written request signing. For comparison only, do not copy.

It supports one source of credentials, one type of endpoint, and no retries.
"""

import hashlib
import hmac
import http.client
import json
import os
import ssl
import time
from typing import Any
from urllib.parse import quote, urlsplit

from calls import parameters

_SERVICE = "imagebuilder"
_TLS = ssl.create_default_context()
_endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL_IMAGEBUILDER"])
_api = http.client.HTTPSConnection(_endpoint.hostname or "", _endpoint.port, context=_TLS)


def handler(event: dict[str, Any], _context: object) -> None:
    """Read, update, read again, and respond."""
    get = "distributionConfigurationArn=" + quote(event["PhysicalResourceId"], safe="")
    _call("GET", "/GetDistributionConfiguration", get)
    _call("PUT", "/UpdateDistributionConfiguration", "", json.dumps(parameters(event)).encode())
    changed = _call("GET", "/GetDistributionConfiguration", get)
    answer = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event["PhysicalResourceId"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"DateUpdated": changed["distributionConfiguration"]["dateUpdated"]},
    }
    url = urlsplit(event["ResponseURL"])
    bucket = http.client.HTTPSConnection(url.hostname or "", url.port, context=_TLS)
    bucket.request("PUT", f"{url.path}?{url.query}", json.dumps(answer), {"content-type": ""})
    bucket.getresponse().read()
    bucket.close()


def _call(method: str, path: str, query: str = "", body: bytes = b"") -> Any:
    _api.request(method, f"{path}?{query}" if query else path, body, _signed(method, path, query, body))
    response = _api.getresponse()
    content = json.loads(response.read())
    if response.status != http.HTTPStatus.OK:
        raise RuntimeError(content)
    return content


def _signed(method: str, path: str, query: str, body: bytes) -> dict[str, str]:
    """Return the headers of a request with Signature Version 4."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {
        "content-type": "application/json",
        "host": _endpoint.netloc,
        "x-amz-date": stamp,
        "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"],
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = "\n".join((method, path, query, lines, names, hashlib.sha256(body).hexdigest()))
    scope = (stamp[:8], os.environ["AWS_REGION"], _SERVICE, "aws4_request")
    signing = "\n".join(("AWS4-HMAC-SHA256", stamp, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()))
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, signing.encode(), "sha256").hex()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{'/'.join(scope)}"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "Authorization": authorization}
