r"""What must not leave the process, whatever text it is in: signatures, credentials, tokens. Standard library only.

A text may be quoted in another one, and that one in a log line: `"` becomes `\"` and `\\\"`, or `%22` and `%2522`.
So a text is read as it is, and again with one layer of escapes less, until none is left. Whatever is a secret in one
of these readings is removed from the text itself. The patterns need to know no escapes, and none of them can backtrack
far, so that redaction takes linear time.
"""

import os
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Final

_REMOVED: Final = "(removed)"
_OWN: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SHORTEST_OWN: Final = 8
_READINGS: Final = 17
"""More layers of escapes than any text has that was not made to have them."""

_PLAIN_NAME: Final = (
    r"(?:x[-_]amz[-_](?:signature|credential|security[-_]token)|(?:aws[-_]?)?secret[-_]?(?:access[-_]?)?key"
    r"|client[-_]?secret|bearer[-_]?token)"
)
_OTHER_NAME: Final = (
    r"(?:signature|credential|(?:aws[-_]?)?(?:access[-_]?key[-_]?id|(?:session|security|access|refresh)[-_]?token))"
)
"""These names also end error codes: in `InvalidAccessKeyId: The key ...`, nothing is secret."""
_NAME: Final = rf"(?:{_PLAIN_NAME}|{_OTHER_NAME})"
_HEADER: Final = r"(?:proxy[-_])?authorization"

_OPEN: Final = r"[\s+]*+(?:[\[(][\s+]*+)?+b?['\"]"
_MEMBER: Final = rf"(?:['\"][\s+]*+:{_OPEN}|>\s*+)"
"""Between name and value, in JSON, in a Python dictionary, and in XML. A plus sign is a space in a form."""
_PAIR: Final = rf"['\"][\s+]*+,{_OPEN}"
_VALUE: Final = r"(?:\(removed\)|[^\s&\"'`,;\\<>()\[\]{}])++"
_LOOKS_RANDOM: Final = r"(?=[\w+/=.~%-]{16})(?=[a-z_+/=.~%-]*+\d)"
_NO_SHORT_WORD: Final = r"(?=[\w+/=.~%-]{12}|[a-z_+/=.~%-]*+\d)"

_CONTROLS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ENTITIES: Final = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}

_GAP: Final = r"(?:[ \t+]|\r?\n[ \t+])"
"""Between the parts of a header's value, which may be folded."""
_QUOTED: Final = r"\"(?![\s,:;)\]}\\])(?:[^\"\\\r\n]|\\.)*+\""
"""A parameter's value. What follows a quote that ends the header is none: `"Basic eA=="}`."""
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
"""Alone or after the name of a scheme, there is a long word, one with letters and digits, or a parameter."""
_HEADER_VALUE: Final = rf"(?:={_QUOTED}|[^\"'\\<\r\n])++"

_OF_USER: Final = r"[^\s/?#@\"'<>\\]|[\"'](?![\s,:;.)\]}>])|<(?!/)|\\(?![\\\"'/bfnrt]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})"
"""Quotes, `<`, and `\\` belong to user information, unless they end what quotes the URL or begin an escape."""
_OF_PASSWORD: Final = rf"(?:{_OF_USER}|[/?#]){{1,128}}+"
_WITH_PASSWORD: Final = (
    rf"(?:[^\s/?#@\"'<>\\:\[]++:(?!\d+\b){_OF_PASSWORD}(?: {_OF_PASSWORD})?+"
    r"|(?!localhost:)[^\s/?#@\"'<>\\:\[.]++:\d++/[^\s@\"'<>\\]{1,128}+)"
)
"""Digits before a slash are a password, or the port of a host whose name has a dot."""
_NO_URL: Final = r"(?:\b(?i:https?)(?::/?|//?)(?!/)|(?:endpoint|proxy[ +]URL|parse):[ +]\"?(?![^\s:]++:/))"
"""What comes before an endpoint or a proxy that is written without `://`."""

_SIGNS: Final = (
    *("signature", "credential", "xamz", "secret", "authorization", "accesskeyid", "akia", "asia"),
    *("sessiontoken", "securitytoken", "accesstoken", "refreshtoken", "bearertoken"),
)
"""One of these is in whatever `_signed` finds, without its hyphens and underscores. Few lines have one."""


def redact(text: str) -> str:
    """The text without what signs a URL or a request, without access keys, without user information in URLs, and
    without this process's credentials. All other text stays as it is.
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
    return secret if len(secret) >= _SHORTEST_OWN else ""


def _secrets(text: str, patterns: list[re.Pattern[str]]) -> Iterator[tuple[int, int]]:
    """Where in a text secrets are."""
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
    """The text, and the text without one layer of escapes, without two, ..., each with its characters' places."""
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
    """One character's escape in a URL, in JSON, in Python, and in XML."""
    return re.compile(
        r"%([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\([\"'\\/bfnrt])|&(quot|apos|lt|gt|amp);"
    )


@cache
def _signed() -> tuple[re.Pattern[str], ...]:
    """What signs. Compiled when it is needed: that takes longer than anything else here."""
    return tuple(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            # A member of a JSON object, of a Python dictionary, or of XML remains one, and so does a pair.
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
    """The user and the password of a URL, and of an endpoint that is no URL."""
    return re.compile(
        rf"(?:(?<![\w.~-])(?<!\(removed\))//(?=(?:{_OF_USER})++@|{_WITH_PASSWORD}@)|{_NO_URL}(?={_WITH_PASSWORD}@))"
        r"(?!\(removed\)(?:@|%(?:25)*+40))"  # It went already.
        r"(?P<secret>[^@]++(?:@[^\s/?#@\"'<>\\]*+(?=@))*+)"
    )


@lru_cache(maxsize=4)
def _longest_word(secret: str) -> str:
    """The longest part of a secret that no encoding changes."""
    return max(re.split(r"[^A-Za-z0-9]", secret), key=len)


@lru_cache(maxsize=4)
def _literally(secret: str) -> re.Pattern[str]:
    return re.compile(f"(?P<secret>{re.escape(secret)})")
