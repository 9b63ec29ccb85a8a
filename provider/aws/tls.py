"""SSL contexts that verify servers' certificates. Standard library only.

Each context is created once, because reading a CA bundle takes longer than a request over a pooled connection.
"""

import os
import ssl
import threading
from contextlib import suppress
from functools import lru_cache
from typing import Final

SHIPPED: Final = os.path.join(os.path.dirname(__file__), "certificates")  # noqa: PTH118, PTH120 - pathlib is slow to import
"""A folder of CAs that the build adds to the package. OpenSSL reads a CA from it only if a certificate needs it."""

_LOCK: Final = threading.Lock()
"""Held while a context is created, so that no other thread creates the same one."""


def tls_context(bundle: str = "") -> ssl.SSLContext:
    """Return the context that trusts the CAs in a bundle: a PEM file, or a folder of files with hashed names.

    Without a bundle, it trusts the first of these that exists: the CAs in SSL_CERT_FILE and SSL_CERT_DIR, those in
    AWS_CA_BUNDLE, the shipped ones, the system's. Raises OSError (also ssl.SSLError) if the bundle cannot be read.
    """
    settings = _settings()
    if not bundle and not any(settings):
        bundle = os.environ.get("AWS_CA_BUNDLE") or shipped()
    with _LOCK:
        return _context(bundle or settings[0], *settings)


def shipped() -> str:
    """Return the folder of CAs in the package; empty if there is none."""
    return SHIPPED if os.path.isdir(SHIPPED) else ""  # noqa: PTH112 - pathlib is slow to import


def delivery_context() -> ssl.SSLContext:
    """Return the context for delivering responses. An unreadable setting must not prevent the delivery."""
    try:
        return tls_context()
    except (OSError, ValueError):
        return system_context()


def system_context() -> ssl.SSLContext:
    """Return the context that trusts SSL_CERT_FILE and SSL_CERT_DIR; if they are not set, the system's CAs.

    If a setting cannot be read, the context trusts the system's CAs and the shipped ones instead.
    """
    with _LOCK:
        return _system_context(*_settings())


def _settings() -> tuple[str, str]:
    return os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")


# OpenSSL reads both settings from the environment and silently ignores what it cannot read. They are arguments here so
# that a changed setting creates a new context.
@lru_cache(maxsize=3)
def _context(bundle: str, _file: str, _folder: str) -> ssl.SSLContext:
    if not bundle:
        return _verifying(ssl.create_default_context())
    if os.path.isdir(bundle):  # noqa: PTH112 - the same
        return _verifying(ssl.create_default_context(capath=bundle))
    return _verifying(ssl.create_default_context(cafile=bundle))


@lru_cache(maxsize=1)
def _system_context(file: str, folder: str) -> ssl.SSLContext:
    context = _verifying(ssl.create_default_context())
    if (file and not _is_bundle(file)) or (folder and not any(map(_is_hashed, folder.split(os.pathsep)))):
        paths = ssl.get_default_verify_paths()
        for source in ({"cafile": paths.openssl_cafile}, {"capath": paths.openssl_capath}, {"capath": shipped()}):
            with suppress(OSError, TypeError):  # the system or the artifact has no such source
                context.load_verify_locations(**source)
    return context


def _is_bundle(file: str) -> bool:
    """Return whether OpenSSL can read CAs from a file."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except (OSError, ValueError):
        return False
    return True


def _is_hashed(folder: str) -> bool:
    """Return whether a folder has files whose names OpenSSL looks up, such as 5ad8a5d6.0."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - the same
    except (OSError, ValueError):
        return False
    return any(name[:8].isalnum() and name[8:9] == "." and name[9:].isdigit() for name in names)


def _verifying(context: ssl.SSLContext) -> ssl.SSLContext:
    # As in botocore, only the subject alternative names count: a common name need not be a host name.
    context.hostname_checks_common_name = False
    # As in botocore and Python before 3.13: a company's own CA often lacks the extensions that this flag requires.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
