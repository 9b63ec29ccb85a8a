"""The TLS contexts that verify who answers, each made once an environment. Standard library only.

Reading a bundle of CAs takes longer than a whole exchange over a connection that is kept, and both the API client and
the delivery of answers would otherwise do it for every new connection.
"""

import os
import ssl
import threading
from functools import lru_cache
from typing import Final

SHIPPED: Final = os.path.join(os.path.dirname(__file__), "certificates")  # noqa: PTH118, PTH120
"""A folder of CAs that the build puts into the package; OpenSSL reads of it what it meets, and nothing beforehand."""

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


def system_context() -> ssl.SSLContext:
    """The context that trusts what the system trusts, and SSL_CERT_FILE and SSL_CERT_DIR."""
    with _MAKING:
        return _context("", *_settings())


def _settings() -> tuple[str, str]:
    return os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")


@lru_cache(maxsize=3)
def _context(bundle: str, _file: str, _folder: str) -> ssl.SSLContext:
    # OpenSSL reads the last two from the environment by itself; as arguments they let a change of them be noticed.
    if not bundle:
        return _verifying(ssl.create_default_context())
    if os.path.isdir(bundle):  # noqa: PTH112
        return _verifying(ssl.create_default_context(capath=bundle))
    return _verifying(ssl.create_default_context(cafile=bundle))


def _verifying(context: ssl.SSLContext) -> ssl.SSLContext:
    # botocore and Python before 3.13 do without it, and a company's own CA often lacks an extension that it asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
