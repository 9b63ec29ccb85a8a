"""The TLS contexts that verify who answers, each made once an environment. Standard library only.

Reading a bundle of CAs takes longer than a whole exchange over a connection that is kept, and both the API client and
the delivery of answers would otherwise do it for every new connection.
"""

import os
import ssl
import threading
from contextlib import suppress
from functools import lru_cache
from typing import Final

SHIPPED: Final = os.path.join(os.path.dirname(__file__), "certificates")  # noqa: PTH118, PTH120
"""A folder of CAs that the build puts into the package; OpenSSL reads of it what it meets, and nothing beforehand."""

INDEX: Final = "index.json"
"""In that folder: the CAs' file names, by `fingerprint`."""

FIRST_LINE: Final = "-----BEGIN CERTIFICATE-----"
LAST_LINE: Final = "-----END CERTIFICATE-----"
_ANY_FIRST_LINE: Final = "-----BEGIN "
_MAKING: Final = threading.Lock()
"""Who comes while a context is being made waits for it rather than making another."""


def tls_context(bundle: str = "") -> ssl.SSLContext:
    """The context that trusts the CAs in a bundle: a PEM file, or a folder of hashed names.

    Without one: those of SSL_CERT_FILE and SSL_CERT_DIR, else of AWS_CA_BUNDLE, else the ones shipped, else the
    system's. Raises OSError (ssl.SSLError is one) where the bundle cannot be read.
    """
    settings = _settings()
    if not bundle and not any(settings):
        bundle = os.environ.get("AWS_CA_BUNDLE") or shipped()
    with _MAKING:
        return _context(bundle or settings[0], *settings)


def shipped() -> str:
    """The folder of CAs in the package; empty where there is none."""
    return SHIPPED if os.path.isdir(SHIPPED) else ""  # noqa: PTH112 - pathlib is not worth its import here


def delivery_context() -> ssl.SSLContext:
    """The same for responses: a setting that cannot be read must not prevent one."""
    try:
        return tls_context()
    except (OSError, ValueError):
        return system_context()


def system_context() -> ssl.SSLContext:
    """The context that trusts SSL_CERT_FILE and SSL_CERT_DIR, and what the system trusts where they are not set.

    Where one of them is set and cannot be read, the system's CAs and the shipped ones take its place.
    """
    with _MAKING:
        return _system_context(*_settings())


def _settings() -> tuple[str, str]:
    return os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")


# OpenSSL reads both settings from the environment by itself, and silently ignores what it cannot read. As arguments,
# they make a change of them noticed.
@lru_cache(maxsize=3)
def _context(bundle: str, _file: str, _folder: str) -> ssl.SSLContext:
    if not bundle:
        return _verifying(ssl.create_default_context())
    if os.path.isdir(bundle):  # noqa: PTH112
        return _verifying(ssl.create_default_context(capath=bundle))
    folder, others = _looked_up(bundle)
    if folder:
        return _verifying(ssl.create_default_context(capath=folder, cadata=others or None))
    return _verifying(ssl.create_default_context(cafile=bundle))


@lru_cache(maxsize=1)
def _system_context(file: str, folder: str) -> ssl.SSLContext:
    context = _verifying(ssl.create_default_context())
    if (file and not _is_bundle(file)) or (folder and not any(map(_is_hashed, folder.split(os.pathsep)))):
        paths = ssl.get_default_verify_paths()
        for source in ({"cafile": paths.openssl_cafile}, {"capath": paths.openssl_capath}, {"capath": shipped()}):
            with suppress(OSError, TypeError):  # where the system or the artifact has no such source
                context.load_verify_locations(**source)
    return context


def _is_bundle(file: str) -> bool:
    """Whether OpenSSL can read CAs from a file."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except (OSError, ValueError):
        return False
    return True


def _is_hashed(folder: str) -> bool:
    """Whether a folder has files with the names that OpenSSL looks CAs up by, such as 5ad8a5d6.0."""
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except (OSError, ValueError):
        return False
    return any(name[:8].isalnum() and name[8:9] == "." and name[9:].isdigit() for name in names)


def fingerprint(body: str) -> str:
    """What tells a CA by the text between the first and the last line of its PEM."""
    import hashlib  # a bundle alone needs it

    return hashlib.sha256("".join(body.split()).encode()).hexdigest()


def bodies(bundle: str) -> list[str]:
    """The texts between the first and the last line of each CA in a PEM bundle, whatever stands between two of them.

    ValueError where one is cut off or is anything but a CA. No regular expression: it would take longer than all else.
    """
    parts = [part.partition(LAST_LINE) for part in bundle.split(FIRST_LINE)[1:]]
    if bundle.count(_ANY_FIRST_LINE) != len(parts) or not all(end for _, end, _ in parts):
        raise ValueError("not a bundle of CAs alone")
    return [body for body, _, _ in parts]


def _looked_up(bundle: str) -> tuple[str, str]:
    """A folder in which OpenSSL finds those CAs of a PEM file that are shipped, too, and the PEM of all its others.

    To be trusted are exactly the file's, whatever else is shipped; but most of them need no reading until they are met.
    No folder where there is nothing to gain, or in the file is anything but CAs.
    """
    import json  # a bundle alone needs them
    import tempfile

    try:
        with open(os.path.join(SHIPPED, INDEX), encoding="ascii") as file:  # noqa: PTH118, PTH123
            names: dict[str, str] = json.load(file)
        with open(bundle, encoding="utf-8") as file:  # noqa: PTH123
            text = file.read()
        found = {fingerprint(body): body for body in bodies(text)}
        known = sorted(names[print_] for print_ in found if print_ in names)
        if not known:
            return "", ""
        folder = tempfile.mkdtemp(prefix="cas-")
        met: dict[str, int] = {}
        for name in known:
            # OpenSSL counts the CAs of one name from 0, and looks no further than the first gap.
            subject = name.partition(".")[0]
            met[subject] = met.get(subject, -1) + 1
            os.symlink(os.path.join(SHIPPED, name), os.path.join(folder, f"{subject}.{met[subject]}"))  # noqa: PTH118, PTH211
    except (OSError, ValueError):
        return "", ""
    others = (f"{FIRST_LINE}{body}{LAST_LINE}\n" for print_, body in found.items() if print_ not in names)
    return folder, "".join(others)


def _verifying(context: ssl.SSLContext) -> ssl.SSLContext:
    # Only the subject alternative names count, as for botocore: a common name need not be a host's.
    context.hostname_checks_common_name = False
    # botocore and Python before 3.13 do without it, and a company's own CA often lacks an extension that it asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
