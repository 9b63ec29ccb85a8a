r"""Removes secrets from text before it leaves the process: signatures, credentials, tokens. Standard library only.

A text may be quoted in another text, and that in a log line: `"` becomes `\"` and `\\\"`, or `%22` and `%2522`.
So the patterns search the text as it is, then with one layer of escapes removed, then with two, until no escapes are
left. A secret that is found in one of these readings is removed from the original text. Therefore, the patterns need
not handle escapes. None of them can backtrack far, so redaction takes linear time.
"""

import os
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Final

_REMOVED: Final = "(removed)"
_OWN: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_MIN_OWN_LENGTH: Final = 8
_READINGS: Final = 17
"""More layers of escapes than any text has, unless someone made it for that purpose."""

_PLAIN_NAME: Final = (
    r"(?:x[-_]amz[-_](?:signature|credential|security[-_]token)|(?:aws[-_]?)?secret[-_]?(?:access[-_]?)?key"
    r"|client[-_]?secret|bearer[-_]?token)"
)
_OTHER_NAME: Final = (
    r"(?:signature|credential|(?:aws[-_]?)?(?:access[-_]?key[-_]?id|(?:session|security|access|refresh)[-_]?token))"
)
"""Error codes also end with these names: `InvalidAccessKeyId: The key ...` contains no secret."""
_NAME: Final = rf"(?:{_PLAIN_NAME}|{_OTHER_NAME})"
_HEADER: Final = r"(?:proxy[-_])?authorization"

_OPEN: Final = r"[\s+]*+(?:[\[(][\s+]*+)?+b?['\"]"
_MEMBER: Final = rf"(?:['\"][\s+]*+:{_OPEN}|>\s*+)"
"""Between a name and its value in JSON, in a Python dictionary, and in XML. In a form, a plus sign is a space."""
_PAIR: Final = rf"['\"][\s+]*+,{_OPEN}"
_VALUE: Final = r"(?:\(removed\)|[^\s&\"'`,;\\<>()\[\]{}])++"
_LOOKS_RANDOM: Final = r"(?=[\w+/=.~%-]{16})(?=[a-z_+/=.~%-]*+\d)"
_NO_SHORT_WORD: Final = r"(?=[\w+/=.~%-]{12}|[a-z_+/=.~%-]*+\d)"

_CONTROLS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ENTITIES: Final = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}

_GAP: Final = r"(?:[ \t+]|\r?\n[ \t+])"
"""Between the parts of a header's value, which may span several lines."""
_QUOTED: Final = r"\"(?![\s,:;)\]}\\])(?:[^\"\\\r\n]|\\.)*+\""
"""A parameter's value. It does not begin with the quote that ends the header: `"Basic eA=="}`."""
_PARAMETER: Final = rf"[\w-]++=(?:{_QUOTED}|[^\s,\"'\\]++)"
_KNOWN_SCHEME: Final = (
    rf"(?:AWS4-[\w-]++|AWS|Basic|Bearer|Digest|Negotiate|NTLM|OAuth|Token){_GAP}++"
    r"(?!(?:is|was|auth[a-z]*+|credentials?|header|schemes?|tokens?)\.?(?:[\s,:;'\"]|\Z))"
    rf"(?:{_PARAMETER}(?:(?:{_GAP}*+,{_GAP}*+|{_GAP}++){_PARAMETER})*+|[^\s\"'\\,<]++)"
)
_LOOKS_SECRET: Final = (
    rf"(?=(?:[\w-]++{_GAP}++)?"
    r"(?:[\w+/=.~%-]{16}|(?=[a-z_+/=.~%-]*+\d)(?=[\d_+/=.~%-]*+[a-z])[\w+/=.~%-]{6}|[\w-]++=[\w\"]))"
)
"""A long word, a word with letters and digits, or a parameter: alone or after the name of a scheme."""
_HEADER_VALUE: Final = rf"(?:={_QUOTED}|[^\"'\\<\r\n])++"

_OF_USER: Final = r"[^\s/?#@\"'<>\\]|[\"'](?![\s,:;.)\]}>])|<(?!/)|\\(?![\\\"'/bfnrt]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})"
"""Quotes, `<`, and `\\` belong to user information unless they end a quoted URL or begin an escape."""
_OF_PASSWORD: Final = rf"(?:{_OF_USER}|[/?#]){{1,128}}+"
_WITH_PASSWORD: Final = (
    rf"(?:[^\s/?#@\"'<>\\:\[]++:(?!\d+\b){_OF_PASSWORD}(?: {_OF_PASSWORD})?+"
    r"|(?!localhost:)[^\s/?#@\"'<>\\:\[.]++:\d++/[^\s@\"'<>\\]{1,128}+)"
)
"""Digits before a slash are a password, or the port if the host name has a dot."""
_NO_URL: Final = r"(?:\b(?i:https?)(?::/?|//?)(?!/)|(?:endpoint|proxy[ +]URL|parse):[ +]\"?(?![^\s:]++:/))"
"""The text before an endpoint or a proxy that is written without `://`."""

_SIGNS: Final = (
    *("signature", "credential", "xamz", "secret", "authorization", "accesskeyid", "akia", "asia"),
    *("sessiontoken", "securitytoken", "accesstoken", "refreshtoken", "bearertoken"),
)
"""Every text that `_signed` matches contains one of these, without hyphens and underscores. Few lines do."""


def redact(text: str) -> str:
    """Return the text without signatures, credentials, access keys, user information in URLs, and this process's own
    credentials. All other text is unchanged.
    """
    own = [secret for secret in map(_own, _OWN) if secret and _longest_word(secret) in text]
    letters = text.casefold().replace("-", "").replace("_", "")
    patterns: list[re.Pattern[str]] = []
    if any(sign in letters for sign in _SIGNS):
        patterns += _signed()
    if "@" in text or "%" in text or "u0040" in text:
        patterns.append(_user_information())
    patterns += map(_literally, own)
    return _without(text, sorted(_secrets(text, patterns))) if patterns else text


def _own(name: str) -> str:
    secret = os.environ.get(name, "")
    return secret if len(secret) >= _MIN_OWN_LENGTH else ""


def _secrets(text: str, patterns: list[re.Pattern[str]]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each secret in a text."""
    for reading, origin in _readings(text):
        for pattern in patterns:
            for found in pattern.finditer(reading):
                yield origin[found.start("secret")], origin[found.end("secret")]


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    parts, end = list[str](), 0
    for start, stop in spans:
        if start >= end:
            parts += text[end:start], _REMOVED
        end = max(end, stop)
    return "".join([*parts, text[end:]])


def _readings(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """Yield the text without 0, 1, 2, ... layers of escapes, each with its characters' indexes in the text."""
    origin: Sequence[int] = range(len(text) + 1)
    for _ in range(_READINGS):
        yield text, origin
        parts, origins, end = list[str](), list[int](), 0
        for found in _escape().finditer(text):
            parts += text[end : found.start()], _unescaped(found)
            origins += origin[end : found.start() + 1]
            end = found.end()
        if not parts:
            return
        text = "".join([*parts, text[end:]])
        origin = [*origins, *origin[end:]]


def _unescaped(escape: re.Match[str]) -> str:
    in_url, in_json, in_python, character, entity = escape.groups()
    if number := in_url or in_json or in_python:
        return chr(int(number, 16))
    return _CONTROLS.get(character, character) if character else _ENTITIES[entity]


@cache
def _escape() -> re.Pattern[str]:
    """Match one escaped character in a URL, in JSON, in Python, or in XML."""
    return re.compile(
        r"%([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\([\"'\\/bfnrt])|&(quot|apos|lt|gt|amp);"
    )


@cache
def _signed() -> tuple[re.Pattern[str], ...]:
    """Match signatures, credentials, and tokens. Compiled on first use, because that takes long."""
    return tuple(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            # Keeps the quotes and brackets of JSON, of a Python dictionary, of XML, and of a pair.
            rf"{_NAME}(?:{_MEMBER}|(?:{_PAIR}|['\"][ \t+]*+:[ \t+]*+){_LOOKS_RANDOM})(?P<secret>{_VALUE})",
            rf"{_HEADER}(?:{_MEMBER}|{_PAIR})(?:(?={_KNOWN_SCHEME})|{_LOOKS_SECRET})(?P<secret>{_HEADER_VALUE})",
            rf"(?P<secret>{_HEADER}{_GAP}*+[:=]{_GAP}*+['\"]?(?:{_KNOWN_SCHEME}|{_LOOKS_SECRET}{_HEADER_VALUE}))",
            rf"(?P<secret>{_PLAIN_NAME}(?:['\"]?{_GAP}*+=|{_GAP}*+:){_GAP}*+['\"]?{_VALUE})",
            rf"(?P<secret>{_OTHER_NAME}"
            rf"(?:['\"]?=|:|['\"]?{_GAP}*+={_GAP}*+{_NO_SHORT_WORD}|:{_GAP}++{_LOOKS_RANDOM})['\"]?{_VALUE})",
            r"(?<![A-Za-z0-9])(?P<secret>(?-i:AKIA|ASIA)(?-i:[A-Z0-9]){16,124}+)",
        )
    )


@cache
def _user_information() -> re.Pattern[str]:
    """Match the user and the password in a URL, or in an endpoint without `://`."""
    return re.compile(
        rf"(?:(?<![\w.~-])(?<!\(removed\))//(?=(?:{_OF_USER})++@|{_WITH_PASSWORD}@)|{_NO_URL}(?={_WITH_PASSWORD}@))"
        r"(?!\(removed\)(?:@|%(?:25)*+40))"  # Already removed.
        r"(?P<secret>[^@]++(?:@[^\s/?#@\"'<>\\]*+(?=@))*+)"
    )


@lru_cache(maxsize=4)
def _longest_word(secret: str) -> str:
    """Return the longest part of a secret that no encoding changes."""
    return max(re.split(r"[^A-Za-z0-9]", secret), key=len)


@lru_cache(maxsize=4)
def _literally(secret: str) -> re.Pattern[str]:
    return re.compile(f"(?P<secret>{re.escape(secret)})")
