"""Converts a CA bundle to a folder in which OpenSSL looks up each CA by its file name, only when it needs it.

The folder is the one that `openssl rehash` creates. The file names are OpenSSL's `X509_NAME_hash`: the SHA-1 of the
subject in a canonical encoding (letter case and white space normalized). A CA with a wrong name would not be found.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_FIRST_LINE = "-----BEGIN CERTIFICATE-----"
_LAST_LINE = "-----END CERTIFICATE-----"

_SEQUENCE, _SET, _VERSION = 0x30, 0x31, 0xA0
_BEFORE_SUBJECT = 4
"""The fields between a certificate's version and its subject: serial number, algorithm, issuer, and validity."""
_UTF8 = 12
_ENCODINGS = {_UTF8: "utf-8", 28: "utf-32-be", 30: "utf-16-be"} | dict.fromkeys((19, 20, 22, 26), "latin-1")
"""The encodings of the ASN.1 string types that are normalized, by tag."""


def hashed_folder(bundle: Path, folder: Path) -> None:
    """Write each certificate of a PEM bundle into the folder, under the name that OpenSSL looks up."""
    folder.mkdir(parents=True)
    seen: Counter[str] = Counter()
    for part in bundle.read_text(encoding="utf-8").split(_FIRST_LINE)[1:]:
        body = part.partition(_LAST_LINE)[0]
        subject = subject_hash(base64.b64decode(body))
        name = f"{subject}.{seen[subject]}"
        (folder / name).write_text(f"{_FIRST_LINE}{body}{_LAST_LINE}\n", encoding="ascii")
        seen[subject] += 1


def subject_hash(certificate: bytes) -> str:
    """Return the hash of a DER certificate's subject as eight hexadecimal digits, like `openssl x509 -subject_hash`."""
    ((_, whole),) = _elements(certificate)
    fields = list(_elements(next(_elements(whole))[1]))
    subject = fields[_BEFORE_SUBJECT + (fields[0][0] == _VERSION)][1]
    canonical = b"".join(
        _encoded(_SET, b"".join(sorted(_normalized(attribute) for _, attribute in _elements(name))))
        for _, name in _elements(subject)
    )
    return hashlib.sha1(canonical, usedforsecurity=False).digest()[3::-1].hex()


def _normalized(attribute: bytes) -> bytes:
    (kind, identifier), (tag, value) = _elements(attribute)
    if tag in _ENCODINGS:
        # Only ASCII: like OpenSSL here, bytes.split and bytes.lower ignore all other white space and letters.
        tag, value = _UTF8, b" ".join(value.decode(_ENCODINGS[tag]).encode().split()).lower()
    return _encoded(_SEQUENCE, _encoded(kind, identifier) + _encoded(tag, value))


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tag and the content of each element in a sequence."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length > 0x7F:
            digits = length & 0x7F
            length, at = int.from_bytes(der[at : at + digits]), at + digits
        yield tag, der[at : at + length]
        at += length


def _encoded(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length <= 0x7F:
        return bytes((tag, length)) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(digits))) + digits + content
