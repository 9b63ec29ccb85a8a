"""The AWS CLI's shorthand: `region=us-east-1,amiDistributionConfiguration={name=golden,targetAccountIds=[1,2]}`.

https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

_SPACE: Final = re.compile(r"[ \t\n\r\v\f]*")
_KEY: Final = re.compile(r"[A-Za-z0-9\-_.#/:]*")
_WORD: Final = re.compile(r"""(\\,|[^\x00-\x20"',=\[{])(\\,|[^"',\]}])*""")
_FURTHER_WORD: Final = re.compile(r"""(\\,|[^\x00-\x20"',=\[{])(\\,|[^"',=])*""")
"""A word after a comma. If an equals sign follows, it is the next key."""
_QUOTED: Final = {"'": re.compile(r"'(?:\\'|[^'])*'"), '"': re.compile(r'"(?:\\"|[^"])*"')}


class ShorthandError(ValueError):
    """Invalid shorthand."""


def parse(text: str, contents: Callable[[str], str]) -> dict[str, Any]:
    """Parse shorthand into dicts, lists, and strings; the caller converts them to the model's types.

    `contents` returns the content of a value that is assigned with `@=`. Raises ShorthandError.
    """
    return _ShorthandParser(text, contents).parameter()


class _ShorthandParser:
    """Parses from left to right; `_at` is the current position."""

    def __init__(self, text: str, contents: Callable[[str], str]) -> None:
        self._text = text
        self._contents = contents
        self._at = 0
        self._is_reference = False

    def parameter(self) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while True:
            start = self._at
            key = self._key()
            value = self._values()
            if key in pairs:
                hint = 'This is often because there is a preceding "," instead of a space.'
                raise ShorthandError(
                    f'Second instance of key "{key}" encountered for input:\n{self._with_caret(start)}\n{hint}'
                )
            pairs[key] = value
            if self._at == len(self._text):
                return pairs
            self._take(",")

    def _key(self) -> str:
        key = self._match(_KEY) or ""
        self._skip()
        self._is_reference = self._current == "@"
        if self._is_reference:
            self._take("@")
        self._take("=")
        return key

    def _values(self) -> Any:
        return self._list_of_words() if self._current not in ("[", "{") else self._value()

    def _value(self) -> Any:
        if self._current == "[":
            return list(self._enclosed("[]", self._value))
        if self._current == "{":
            return dict(self._enclosed("{}", lambda: (self._key(), self._value())))
        return self._word()

    def _enclosed(self, ends: str, entry: Callable[[], Any]) -> Iterator[Any]:
        self._take(ends[0])
        while self._current != ends[1]:
            yield entry()
            self._skip()
            if self._current != ends[1]:
                self._take(",")
        self._at += 1

    def _list_of_words(self) -> Any:
        words = [self._word()]
        self._skip()
        while self._current == ",":
            comma = self._at
            self._take(",")
            try:
                word = self._word(_FURTHER_WORD)
                self._skip()
                if self._current not in ("", ","):
                    raise self._unexpected(",")
            except ShorthandError:
                if not self._current:
                    raise
                # It is the next key, as in `a=b,c=d`.
                self._at = self._text.rindex(",", comma, self._at + 1)
                break
            words.append(word)
        return words[0] if len(words) == 1 else words

    def _word(self, pattern: re.Pattern[str] = _WORD) -> str:
        quote = self._current
        if quote in _QUOTED:
            quoted = self._match(_QUOTED[quote])
            if quoted is None:
                raise ShorthandError(f"A quotation is not closed for input:\n{self._with_caret(self._at)}")
            word = quoted[1:-1].replace(f"\\{quote}", quote).replace("\\\\", "\\")
        else:
            found = self._match(pattern)
            if found is None and pattern is _FURTHER_WORD:
                raise self._unexpected("a value")
            word = (found or "").replace("\\,", ",").rstrip()
        return self._contents(word) if self._is_reference else word

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return match[0]

    def _skip(self) -> None:
        self._match(_SPACE)

    def _take(self, character: str) -> None:
        self._skip()
        if self._current != character:
            raise self._unexpected(character)
        self._at += 1
        self._skip()

    @property
    def _current(self) -> str:
        """The next character; empty at the end."""
        return self._text[self._at : self._at + 1]

    def _unexpected(self, expected: str) -> ShorthandError:
        return ShorthandError(
            f"Expected: '{expected}', received: '{self._current or 'EOF'}' for input:\n{self._with_caret(self._at)}"
        )

    def _with_caret(self, at: int) -> str:
        """The text with a caret under the position `at`."""
        end = self._text.find("\n", at)
        before, after = (self._text, "") if end < 0 else (self._text[:end], self._text[end:])
        return f"{before}\n{' ' * (at - self._text.rfind(chr(10), 0, at) - 1)}^{after}"
