"""Redaction removes secrets in any spelling, and nothing else."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provider.cloudformation.redaction import redact

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
LAYERS = st.lists(st.sampled_from([json.dumps, repr, lambda text: quote(text, safe=""), quote, quote_plus]), max_size=4)
"""Ways to quote a text in another text, in any order."""
NAMES = st.sampled_from(
    ["X-Amz-Signature", "x-amz-security-token", "AWSAccessKeyId", "SecretAccessKey", "aws_session_token", "AccessToken"]
)


def in_json(text: str, depth: int) -> str:
    """Quote a text in JSON that is quoted in JSON, and so on."""
    for _ in range(depth):
        text = json.dumps({"message": text})
    return text


def in_url(text: str, depth: int) -> str:
    """Make a text a parameter of a URL that is a parameter of a URL, and so on."""
    for _ in range(depth):
        text = quote(text, safe="")
    return text


@given(AROUND, PIECES, SIGNS, st.from_regex(r"[a-z0-9]{12,40}", fullmatch=True), AROUND)
@example("", "\u017fignature", "=", "0123456789ab", "")
def test_signatures_and_tokens_are_removed(before: str, name: str, sign: str, secret: str, after: str) -> None:
    """The values of signatures, credentials, and tokens are removed in any letter case, and nothing else."""
    redacted = redact(f"{before} {name}{sign}{secret} {after}")
    assert (f"{name}{sign}{secret}" in redacted) == (name == "other")


@given(NAMES, SECRETS, DEPTHS, st.booleans())
def test_secrets_in_quoted_json_are_removed(name: str, secret: str, depth: int, slashes: bool) -> None:
    """A secret in JSON is removed at any depth of quoting, and the JSON stays valid."""
    text = in_json(json.dumps({"first": "1", name: secret, "last": "2"}), depth)
    redacted = redact(text.replace("/", r"\/") if slashes else text)
    for _ in range(depth):
        redacted = json.loads(redacted)["message"]
    assert json.loads(redacted) == {"first": "1", name: "(removed)", "last": "2"}


@given(NAMES, SECRETS, DEPTHS, DEPTHS)
def test_secrets_in_nested_urls_are_removed(name: str, secret: str, in_urls: int, in_jsons: int) -> None:
    """A secret in a URL is removed at any depth of nesting and quoting, and other parameters stay."""
    url = in_url(f"first=1&{name}={quote(secret, safe='')}&last=2", in_urls)
    redacted = redact(in_json(f"GET https://b.s3/k?u={url} failed", in_jsons))
    for _ in range(in_jsons):
        redacted = json.loads(redacted)["message"]
    neighbors = in_url("first=1&", in_urls), in_url("&last=2", in_urls)
    assert redacted == f"GET https://b.s3/k?u={neighbors[0]}(removed){neighbors[1]} failed"


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
        lambda value: str([("Authorization", value)]),
        lambda value: json.dumps([["Authorization", value]]),
        lambda value: f"Authorization:\r\n  {value}",
        lambda value: quote(json.dumps({"Authorization": value}), safe=""),
        lambda value: quote(quote(json.dumps([["Authorization", value]]), safe=""), safe=""),
        lambda value: quote_plus(f"Authorization:\r\n {value}"),
        lambda value: quote(f"Authorization: {value}", safe=""),
    ],
)
@pytest.mark.parametrize("depth", range(3))
def test_an_authorization_header_is_removed_whole(value: str, written: Callable[[str], str], depth: int) -> None:
    """The whole value of an Authorization header is removed, and the lines around it stay."""
    redacted = redact(in_json(f"before\n{written(value)}\nafter", depth))
    for _ in range(depth):
        redacted = json.loads(redacted)["message"]
    first, middle, last = redacted.split("\n")
    assert (first, last) == ("before", "after")
    parts = value.replace('"', " ").replace(",", " ").replace("=", " ").replace("/", " ").split()
    assert [part for part in parts if len(part) > 3 and part in middle] == []


def test_text_after_an_authorization_header_stays() -> None:
    """In a sentence that quotes an Authorization header with a known scheme, the rest stays."""
    assert redact("GET / with Authorization: Basic dXNlcjpwdw== failed") == "GET / with (removed) failed"


WRITTEN = st.sampled_from(
    [
        "Authorization: Basic {}",
        "Authorization:\r\n  Bearer {}\r\nHost: harmless",
        'Authorization: Digest username="{}", realm="a b"',
        "Authorization: Custom id={}",
        '{{"Authorization": "Basic {}"}}',
        "[('Authorization', 'Bearer {}')]",
        '[["Authorization", "Bearer {}"], ["Host", "harmless"]]',
        "<Authorization>Bearer {}</Authorization>",
        "aws_secret_access_key = {}",
        "<SecretAccessKey>{}</SecretAccessKey>",
        "{{'SecretAccessKey': '{}'}}",
        "x-amz-security-token: {}",
        "('X-Amz-Security-Token', '{}')",
        "at ASIA{}",
    ]
)


@given(WRITTEN, st.from_regex(r"[A-Z][A-Z0-9]{6}7[A-Z0-9]{8,20}", fullmatch=True), LAYERS)
@example("{{'SecretAccessKey': '{}'}}", "A0000007AAAAAAAA", [repr, json.dumps, quote])
def test_quoted_secrets_are_removed(written: str, secret: str, layers: list[Callable[[str], str]]) -> None:
    """A secret is removed in any notation, and quoted in JSON, Python, and URLs in any order."""
    text = f"before {written.format(secret)} after"
    for layer in layers:
        text = layer(text)
    redacted = redact(text)
    assert secret not in redacted
    assert "before" in redacted


PASSWORDS = st.sampled_from(["'", "&", '"', "<", "\\", " ", "/", "?", "#", "!", "(", "%", "+", ","])


@given(PASSWORDS, st.sampled_from(["ab", "p", "x1"]), LAYERS)
def test_a_password_of_any_characters_is_removed(odd: str, head: str, layers: list[Callable[[str], str]]) -> None:
    """User information is removed even if it has characters that are invalid in URLs, at any depth of quoting."""
    text = f"proxy https://user:{head}{odd}Xword@host:8080/path failed"
    for layer in layers:
        text = layer(text)
    redacted = redact(text)
    assert "Xword" not in redacted
    assert "path" in redacted


@pytest.mark.parametrize("password", ["12/X", "12/X/Y", "12'X", '12"X', "12&X", "X", "1234"])
def test_a_password_of_digits_is_not_a_port(password: str) -> None:
    """After a name without a dot, digits and a slash are a password if an at sign follows."""
    assert redact(f"https://user:{password}@host/a@b") == "https://(removed)@host/a@b"


@pytest.mark.parametrize("start", ["https//", "https:/", "https:", "http//", "Invalid endpoint: ", 'proxy URL: "'])
@pytest.mark.parametrize("depth", range(3))
def test_user_information_without_a_scheme_is_removed(start: str, depth: int) -> None:
    """The user and the password of an endpoint or a proxy without `://` are removed, too."""
    text = in_json(in_url(f"{start}us3r:pw@host:80/", depth), depth)
    assert "pw" not in redact(text)
    assert redact(f"{start}us3r:pw@host:80/") == f"{start}(removed)@host:80/"


@pytest.mark.parametrize("endpoint", ["https://us3r:s3cret@ho st/", "https//us3r:s3cret@host"])
def test_a_failed_init_phase_is_logged_without_secrets(endpoint: str) -> None:
    """If Lambda's init phase fails, one line has the error without the secret that it quotes."""
    environment = {
        "AWS_ENDPOINT_URL_IMAGEBUILDER": endpoint,
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "PATH": os.environ["PATH"],
    }
    start = [sys.executable, "-c", "import provider.handler"]
    root = Path(__file__).parents[2]
    ran = subprocess.run(start, cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=True)
    logged = ran.stdout + ran.stderr
    assert "initialization failed; the first request will try again: ProviderError: could not create" in logged
    assert not [secret for secret in ("us3r", "s3cret", "Traceback") if secret in logged]


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h", "ftp", "ssh"])
@pytest.mark.parametrize(
    "user", ["user:password", "user:p@ss@word", "user:p%40ss", "u:p!$()*,;=&x", "user:p/w/x", "u@x:pw"]
)
@pytest.mark.parametrize("depth", range(3))
def test_user_information_is_removed(scheme: str, user: str, depth: int) -> None:
    """The user and the password in a URL of any scheme are removed, even with an at sign or a slash."""
    text = in_json(f'Failed to connect to proxy URL: "{scheme}://{user}@proxy.example:1080/a?b=c"', depth)
    assert redact(text) == text.replace(user, "(removed)")
    escaped = text.replace("/", r"\/")
    assert redact(escaped) == escaped.replace(user.replace("/", r"\/"), "(removed)")


def test_user_information_of_an_encoded_url_is_removed() -> None:
    """The user and the password of a URL that is a parameter of another URL are removed, too."""
    text = f"https://example.com/?to={quote('https://user:p@ss@example.com/x', safe='')}&then=1"
    assert redact(text) == "https://example.com/?to=https%3A%2F%2F(removed)%40example.com%2Fx&then=1"


@pytest.mark.parametrize("key", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"])
@pytest.mark.parametrize("before", ["key ", "\n", "\t", "=", "%2F", "_", "(", "", "\u00e4"])
@pytest.mark.parametrize("depth", range(3))
def test_an_access_key_is_removed(key: str, before: str, depth: int) -> None:
    """Access keys are removed anywhere, even after an escape sequence."""
    assert key not in redact(in_json(f"{before}{key}, said the error", depth))


@given(st.text(st.characters(codec="utf-8"), max_size=5), SECRETS, DEPTHS, DEPTHS)
def test_the_processs_own_credentials_are_removed(around: str, secret: str, in_urls: int, in_jsons: int) -> None:
    """The function's own credentials are removed even without a name, in URLs and JSON of any depth."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_SESSION_TOKEN", secret)
        redacted = redact(in_json(in_url(f"{around} {secret} {around}", in_urls), in_jsons))
        for _ in range(in_jsons):
            redacted = json.loads(redacted)["message"]
        assert redacted == f"{in_url(f'{around} ', in_urls)}(removed){in_url(f' {around}', in_urls)}"


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
    "authorization: see the docs",
    "Authorization: Bearer token is missing, authorization: Basic authentication is not supported.",
    "{'authorization': 'see the docs'} and <authorization>denied</authorization>",
    "The credential = sign is bad",
    "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter.",
    "['Credential', 'Signature', 'X-Amz-Date'], ('Authorization', 'Host')",
    "https://localhost:8080/a@b and https://example.com/?mail=a%40b&u=https%3A%2F%2Fexample.com%3A8080%2Fa%40b",
    "docker://golden:latest and mail to admin@example.com, https://example.com, a@b",
    '{"image":"docker://golden:latest","mail":"a@b"}',
    "golden:latest@sha256:0123456789abcdef, mailto:admin@example.com, https: a@b, arn:aws:s3:::a@b",
    "C:\\new\\table 100%25 &lt;a@b&gt;",
    "AccessDenied, authorization denied, secret key rotation, a signature is missing",
]


@pytest.mark.parametrize("text", HARMLESS)
@pytest.mark.parametrize("depth", range(3))
def test_harmless_text_stays(text: str, depth: int) -> None:
    """A message of the service that names secrets without quoting one is unchanged."""
    assert redact(in_json(text, depth)) == in_json(text, depth)


@given(st.text(st.characters(exclude_characters="=:>@%"), max_size=200))
def test_text_without_a_value_stays(text: str) -> None:
    """If no value follows a name, nothing is removed."""
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
            "%22",
            "%20",
            "%3C",
            "&lt;",
            "\\n",
            "\\u0022",
            "https//",
            "endpoint: ",
            "12/",
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
    """Redacting a text twice changes nothing more."""
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
        *("\\u005c", "&amp;", "//a:b ", "//a:1/", "https:a:", "endpoint: a:b", "('authorization', 'a", '="\\"'),
        *("authorization: a-", "authorization: Basic a=b,", "authorization:\n ", "secret_key = ", "secret_key\n "),
        *("%40", " ", '"', "AKIA", "A", "x-amz-", "secret access key "),
    ],
)
def test_redaction_takes_linear_time(before: str, piece: str) -> None:
    """Redacting any 50,000 characters takes seconds; with backtracking, it would take hours."""
    text = before + piece * (50_000 // len(piece)) + "@%40 token"
    start = time.process_time()
    redact(text)
    assert time.process_time() - start < 15
