"""Secrets are taken out of texts, however they are spelled, and nothing else is."""

import json
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provider.protocol.redaction import redact

PIECES = st.sampled_from(
    [
        "X-Amz-Signature",
        "x-amz-credential",
        "X-AMZ-SECURITY-TOKEN",
        "Signature",
        "\u017fignature",
        "AWSAccessKeyId",
        "aws_secret_access_key",
        "AWS_SESSION_TOKEN",
        "SecretAccessKey",
        "other",
    ]
)
AROUND = st.text(st.characters(exclude_categories=["L", "Cs"]))
SIGNS = st.sampled_from(["=", ":", "%3D", "%3d", "%253D", " = "])
SECRETS = st.from_regex(r"[g-zG-Z][a-zA-Z0-9/+]{14,38}[a-zA-Z0-9]={0,2}", fullmatch=True)
DEPTHS = st.integers(0, 5)
NAMES = st.sampled_from(
    ["X-Amz-Signature", "x-amz-security-token", "AWSAccessKeyId", "SecretAccessKey", "aws_session_token", "AccessToken"]
)


def in_json(text: str, depth: int) -> str:
    """A text as it is quoted in JSON that is quoted in JSON, and so on."""
    for _ in range(depth):
        text = json.dumps({"message": text})
    return text


def in_url(text: str, depth: int) -> str:
    """A text as a parameter of a URL that is a parameter of a URL, and so on."""
    for _ in range(depth):
        text = quote(text, safe="")
    return text


@given(AROUND, PIECES, SIGNS, st.from_regex(r"[a-z0-9]{12,40}", fullmatch=True), AROUND)
@example("", "\u017fignature", "=", "0123456789ab", "")
def test_what_signs_is_removed(before: str, name: str, sign: str, secret: str, after: str) -> None:
    """The value of whatever signs a request is removed, in any letter case, and only that."""
    told = redact(f"{before} {name}{sign}{secret} {after}")
    assert (f"{name}{sign}{secret}" in told) == (name == "other")


@given(NAMES, SECRETS, DEPTHS, st.booleans())
def test_no_member_of_quoted_json_survives(name: str, secret: str, depth: int, slashes: bool) -> None:
    """A secret in JSON is removed however often that is quoted in JSON, and the JSON around it stays readable."""
    text = in_json(json.dumps({"first": "1", name: secret, "last": "2"}), depth)
    told = redact(text.replace("/", r"\/") if slashes else text)
    for _ in range(depth):
        told = json.loads(told)["message"]
    assert json.loads(told) == {"first": "1", name: "(removed)", "last": "2"}


@given(NAMES, SECRETS, DEPTHS, DEPTHS)
def test_no_parameter_of_a_url_in_a_url_survives(name: str, secret: str, in_urls: int, in_jsons: int) -> None:
    """A secret in a URL is removed however often that is a parameter of another one, and quoted; its neighbors stay."""
    url = in_url(f"first=1&{name}={quote(secret, safe='')}&last=2", in_urls)
    told = redact(in_json(f"GET https://b.s3/k?u={url} failed", in_jsons))
    for _ in range(in_jsons):
        told = json.loads(told)["message"]
    neighbors = in_url("first=1&", in_urls), in_url("&last=2", in_urls)
    assert told == f"GET https://b.s3/k?u={neighbors[0]}(removed){neighbors[1]} failed"


@pytest.mark.parametrize(
    "value",
    [
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/imagebuilder/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        "AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=",
        "Basic dXNlcjpwYXNzd29yZA==",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        'Digest username="user", realm="a b", response="6629fae49393a05397450978507c4ef1"',
        "secretwithoutscheme",
    ],
)
@pytest.mark.parametrize(
    "written",
    [
        lambda value: f"Authorization: {value}",
        lambda value: f"proxy-authorization:{value}",
        lambda value: f"Authorization={value}",
        lambda value: str({"Authorization": value}),
        lambda value: str({"Authorization": value.encode()}),
        lambda value: json.dumps({"authorization": [value]}),
        lambda value: quote(f"Authorization: {value}", safe=""),
    ],
)
@pytest.mark.parametrize("depth", range(3))
def test_an_authorization_header_is_removed_whole(value: str, written: Callable[[str], str], depth: int) -> None:
    """No part of an Authorization header's value remains, and the lines around it do."""
    told = redact(in_json(f"before\n{written(value)}\nafter", depth))
    for _ in range(depth):
        told = json.loads(told)["message"]
    first, middle, last = told.split("\n")
    assert (first, last) == ("before", "after")
    parts = value.replace('"', " ").replace(",", " ").replace("=", " ").replace("/", " ").split()
    assert [part for part in parts if len(part) > 3 and part in middle] == []


def test_what_follows_a_known_header_stays() -> None:
    """Of a sentence that quotes an Authorization header of a known scheme, the rest stays."""
    assert redact("GET / with Authorization: Basic dXNlcjpwdw== failed") == "GET / with (removed) failed"


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h", "ftp", "ssh"])
@pytest.mark.parametrize(
    "user", ["user:password", "user:p@ss@word", "user:p%40ss", "u:p!$()*,;=&x", "user:p/w/x", "u@x:pw"]
)
@pytest.mark.parametrize("depth", range(3))
def test_user_information_is_removed(scheme: str, user: str, depth: int) -> None:
    """A URL of any scheme loses its user and password, even one with an at sign or a slash, and nothing else."""
    text = in_json(f'Failed to connect to proxy URL: "{scheme}://{user}@proxy.example:1080/a?b=c"', depth)
    assert redact(text) == text.replace(user, "(removed)")
    escaped = text.replace("/", r"\/")
    assert redact(escaped) == escaped.replace(user.replace("/", r"\/"), "(removed)")


def test_user_information_of_an_encoded_url_is_removed() -> None:
    """A URL that is a parameter of another one loses its user and password as well."""
    text = f"https://example.com/?to={quote('https://user:p@ss@example.com/x', safe='')}&then=1"
    assert redact(text) == "https://example.com/?to=https%3A%2F%2F(removed)%40example.com%2Fx&then=1"


@pytest.mark.parametrize("key", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"])
@pytest.mark.parametrize("before", ["key ", "\n", "\t", "=", "%2F", "_", "(", "", "\u00e4"])
@pytest.mark.parametrize("depth", range(3))
def test_an_access_key_is_removed(key: str, before: str, depth: int) -> None:
    """Access keys are removed wherever they stand, after an escape sequence as well."""
    assert key not in redact(in_json(f"{before}{key}, said the error", depth))


@given(st.text(st.characters(codec="utf-8"), max_size=5), SECRETS, DEPTHS, DEPTHS)
def test_the_process_s_own_credentials_are_removed(around: str, secret: str, in_urls: int, in_jsons: int) -> None:
    """The function's credentials are removed without a name before them, in URLs and JSON of any depth."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_SESSION_TOKEN", secret)
        told = redact(in_json(in_url(f"{around} {secret} {around}", in_urls), in_jsons))
        for _ in range(in_jsons):
            told = json.loads(told)["message"]
        assert told == f"{in_url(f'{around} ', in_urls)}(removed){in_url(f' {around}', in_urls)}"


HARMLESS = [
    "User: arn:aws:sts::123456789012:assumed-role/provider is not authorized to perform: imagebuilder:GetComponent",
    "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records",
    "InvalidSignatureException: Signature expired: 20261123T060000Z is now earlier than 20261123T061000Z",
    "InvalidSignature: Authentication failed",
    "ExpiredToken: The security token included in the request is expired",
    "InvalidToken: The provided token is malformed",
    "The security token included in the request is invalid. Credential should be scoped to a valid Region",
    "clientToken: 11111111-0000-4000-8000-000000000000, NextToken=abcdefghijklmnopqrstuvwxyz012345",
    "Encoded authorization failure message: AQICAHh0x9Kq5mYcQm3n8",
    "X-Amz-Date=20261123T060000Z&X-Amz-Expires=7200&X-Amz-SignedHeaders=host",
    "{{ imagebuilder:buildDate }} and mail to admin@example.com // not@user",
    "https://example.com:8080/a@b//c@d?mail=x@y#z@z",
    "https://[::1]:8080/a@b and https://example.com:443?x=a@b",
    "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "100% of asia-pacific, 50%40 done, %2F%2F",
    "AccessDenied, authorization denied, secret key rotation, a signature is missing",
]


@pytest.mark.parametrize("text", HARMLESS)
@pytest.mark.parametrize("depth", range(3))
def test_harmless_text_stays(text: str, depth: int) -> None:
    """A text of the service that names secrets without quoting one stays as it is."""
    assert redact(in_json(text, depth)) == in_json(text, depth)


@given(st.text(st.characters(exclude_characters="=:>@%"), max_size=200))
def test_text_without_a_value_stays(text: str) -> None:
    """Where nothing assigns a value, nothing is removed."""
    assert redact(text) == text


FRAGMENTS = st.sampled_from(
    [
        *("X-Amz-Signature", "signature", "SecretAccessKey", "aws_session_token", "credential", "Authorization"),
        *("=", ":", ": ", " = ", "%3D", "%253D", "%26", "%40", "&", "\\", '"', "'", '\\"', "(removed)", " ", "\n"),
        *(
            "AKIAIOSFODNN7EXAMPLE",
            "abc123",
            "//",
            "https://",
            "user:pw@",
            "@",
            "%2F%2F",
            "Basic ",
            "<",
            ">",
            ",",
            "(",
            ")",
        ),
    ]
)


@given(st.lists(FRAGMENTS, max_size=12).map("".join))
@example("//https://user:pw@user:pw@")
def test_redaction_is_idempotent(text: str) -> None:
    """What is redacted already stays as it is."""
    once = redact(text)
    assert redact(once) == once


@pytest.mark.parametrize(
    "before", ["", "signature=", "authorization:", "//", "//a:", "%2F%2F", '"signature":"', "signature%"]
)
@pytest.mark.parametrize(
    "piece",
    [
        *(
            "\\",
            "%",
            "25",
            "%25",
            "signature",
            "signature:",
            "signature%25",
            "signature: aaaaaaaaaaaaaaaa",
            '"signature":',
        ),
        *(
            "authorization:",
            'authorization: Digest a="',
            "Authorization: Digest a=b ",
            "//",
            "//a:",
            "/\\",
            "%2F%2F",
            "//a@",
        ),
        *("%40", " ", '"', "AKIA", "A", "x-amz-", "secret access key "),
    ],
)
def test_redaction_takes_linear_time(before: str, piece: str) -> None:
    """No text can keep redaction busy: 200,000 characters take seconds at most, where backtracking takes hours."""
    text = before + piece * (200_000 // len(piece)) + "@%40 token"
    start = time.process_time()
    redact(text)
    assert time.process_time() - start < 30
