r"""What must not leave the process, whatever text it is in: signatures, credentials, tokens. Standard library only.

A text may be quoted in another one, and that one in a log line. Each JSON string adds backslashes before its quotes,
and each URL in the query of another one encodes the percent signs again: `"`, `\"`, `\\\"`, and `=`, `%3D`, `%253D`.
The patterns take any number of either. None of them can backtrack far, so that redaction takes linear time.
"""

import os
import re
from functools import cache, lru_cache
from typing import Final

_REMOVED: Final = "(removed)"
_OWN: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SHORTEST_OWN: Final = 8

_PLAIN_NAME: Final = (
    r"(?:x[-_]amz[-_](?:signature|credential|security[-_]token)|(?:aws[-_]?)?secret[-_]?(?:access[-_]?)?key"
    r"|client[-_]?secret|bearer[-_]?token)"
)
_OTHER_NAME: Final = (
    r"(?:signature|credential|(?:aws[-_]?)?(?:access[-_]?key[-_]?id|(?:session|security|access|refresh)[-_]?token))"
)
"""These names also end error codes: in `InvalidAccessKeyId: The key ...`, nothing is secret."""
_NAME: Final = rf"(?:{_PLAIN_NAME}|{_OTHER_NAME})"
_QUOTE: Final = r"(?:\\*+['\"]|\\++u002[27]|&quot;)"
_SEPARATOR: Final = r"(?:[=:]|\\++u003d)"
_VALUE: Final = r"(?:\(removed\)|[^\s&\"'`,;\\<>()\[\]{}]|\\++(?:/|u00(?:2[bf]|3d)))++"
_LOOKS_RANDOM: Final = r"(?=[\w+/=.~%-]{16})(?=[a-z_+/=.~%-]*+\d)"
_HEADER: Final = r"(?:proxy[-_])?authorization"
_HEADER_VALUE: Final = r"(?:=\\*+\"[^\"\\]*+\\*+\"|[^\"'\\\r\n]|\\++[^\"'\\nr])++"
_PARAMETER: Final = r"[\w-]++=(?:\\*+\"[^\"\\]*+\\*+\"|[^\s,\"'\\]++)"
_KNOWN_SCHEME: Final = (
    r"(?:AWS4-[\w-]++|AWS|Basic|Bearer|Digest|Negotiate|NTLM|OAuth|Token)[ \t]++"
    rf"(?:{_PARAMETER}(?:(?:[ \t]*+,[ \t]*+|[ \t]++){_PARAMETER})*+|[^\s\"'\\,]++)"
)

_SIGNS: Final = (
    *("signature", "credential", "xamz", "secret", "authorization", "accesskeyid", "akia", "asia"),
    *("sessiontoken", "securitytoken", "accesstoken", "refreshtoken", "bearertoken"),
)
"""One of these is in whatever `_signed` finds, without its hyphens and underscores. Few lines have one."""


def redact(text: str) -> str:
    """The text without what signs a URL or a request, without access keys, without user information in URLs, and
    without this process's credentials. All other text stays as it is.
    """
    for own in (os.environ.get(name, "") for name in _OWN):
        if len(own) >= _SHORTEST_OWN and _longest_word(own) in text:
            text = _any_encoding(own).sub(_REMOVED, text)
    letters = text.casefold().replace("-", "").replace("_", "")
    if any(sign in letters for sign in _SIGNS):
        text = _signed().sub(rf"\g<member>\g<header>{_REMOVED}", text)
    if "@" in text or "%" in text:
        text = _user_information().sub(rf"\g<slashes>\g<encoded>{_REMOVED}\g<at>\g<sign>", text)
    return text


@cache
def _signed() -> re.Pattern[str]:
    """What signs. Compiled when it is needed: that takes longer than anything else here."""
    return re.compile(
        # A member of a JSON object, of a Python dictionary, or of XML remains one.
        rf"(?P<member>{_NAME}(?:{_QUOTE}\s*+:(?:\s|\[|\\++[nrt])*+b?{_QUOTE}|>|\\++u003e|&gt;)){_VALUE}"
        rf"|(?P<header>{_HEADER}{_QUOTE}\s*+:(?:\s|\[|\\++[nrt])*+b?{_QUOTE}){_HEADER_VALUE}"
        # A URL in a URL: the value ends where the separator's encoding says.
        rf"|{_NAME}(?:%(?:25)*+2[27])?%(?P<level>(?:25)*+)3[AD](?:%(?P=level)20)*+(?:%(?P=level)2[27])?"
        r"(?:(?!%(?P=level)(?:2[0267C]|3B|5D|7D|0[AD]))[^\s&\"'`,;\\<>()\[\]{}])++"
        rf"|{_HEADER}%(?P<depth>(?:25)*+)3[AD]"
        r"(?:%(?P=depth)3D%(?P=depth)22(?:(?!%(?P=depth)22)[^\s&\"'\\<>])*+%(?P=depth)22"
        r"|(?!%(?P=depth)(?:2[267]|0[AD]))[^\s&\"'\\<>])++"
        rf"|{_PLAIN_NAME}{_QUOTE}?[ \t]*+{_SEPARATOR}[ \t]*+b?{_QUOTE}?{_VALUE}"
        rf"|{_OTHER_NAME}{_QUOTE}?(?:[ \t]*+=[ \t]*+|{_SEPARATOR}|:[ \t]++{_LOOKS_RANDOM})b?{_QUOTE}?{_VALUE}"
        rf"|{_HEADER}[ \t]*+[:=][ \t]*+(?:{_KNOWN_SCHEME}|{_HEADER_VALUE})"
        # An access key's ID. What precedes it may be the end of an escape: \n, \u003d, %2F.
        r"|(?-i:(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"
        r"(?:AKIA|ASIA)[A-Z0-9]{16,124}+)",
        re.IGNORECASE,
    )


@cache
def _user_information() -> re.Pattern[str]:
    """The user and the password of a URL."""
    return re.compile(
        # The second alternative is for a password with a slash, which a URL should not have: what follows is no port.
        r"(?:(?<![\w.~-])|(?<=\\[nrt]))(?P<slashes>/\\*+/)"
        r"(?:[^\s/?#@\"'<>\\]++|[^\s/?#@\"'<>\\:\[]++:(?!\d+\b)(?:[^\s@\"'<>\\]|\\++/){1,128}+)"
        r"(?P<at>@)(?:[^\s/?#@\"'<>\\]*+@)*+"
        r"|(?P<encoded>%(?P<level>(?:25)*+)2F%(?P=level)2F)"
        r"(?:(?:(?!%(?P=level)(?:2[0236F]|3F|40))[^\s/?#&\"'<>\\])++(?P<sign>%(?P=level)40))++",
        re.IGNORECASE,
    )


@lru_cache(maxsize=4)
def _longest_word(secret: str) -> str:
    """The longest part of a secret that no encoding changes."""
    return max(re.split(r"[^A-Za-z0-9]", secret), key=len)


@lru_cache(maxsize=4)
def _any_encoding(secret: str) -> re.Pattern[str]:
    """A pattern for a secret as it is, in JSON, and in a URL."""
    return re.compile("".join(map(_encodings, secret)))


def _encodings(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    in_url = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    return rf"(?:\\*{re.escape(character)}|(?i:{in_url}|\\+u{ord(character):04x}))"
