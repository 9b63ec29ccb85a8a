"""Changes environment variables for the duration of a `with` block."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..resources import LEDGER_TABLE


@contextmanager
def temporary_environment() -> Iterator[None]:
    """Restore all environment variables at the end."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def offline() -> Iterator[None]:
    """Hide the user's AWS settings and proxies from botocore, and the user's ledger from the function."""
    with temporary_environment():
        os.environ.pop(LEDGER_TABLE, None)
        for name in list(os.environ):
            if name.startswith("AWS_") or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
                del os.environ[name]
        os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        yield
