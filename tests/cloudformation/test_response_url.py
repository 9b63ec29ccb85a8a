"""Response URLs: whether they are safe, and when they expire."""

import pytest

from provider.cloudformation.response_url import expiry, is_safe


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.com/x", True),
        ("http://127.0.0.1:8000/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:8000/x", True),
        ("http://127.8.9.1/x", True),
        ("http://example.com/x", False),
        ("http://127.0.0.1.example.com/x", False),
        ("http://10.0.0.1/x", False),
        ("ftp://127.0.0.1/x", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://example.com:port/x", False),
        ("x", False),
        ("https://a..b/x", False),
        (f"https://{'a' * 64}.com/x", False),
        ("https://example.com/a b", False),
        ("https://example.com/\u00e4", False),
    ],
)
def test_a_url_is_safe_if_it_is_https_or_loopback(url: str, safe: bool) -> None:
    """Plain http is for loopback addresses only."""
    assert is_safe(url) is safe


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("X-Amz-Date=20261123T060000Z&X-Amz-Expires=7200&X-Amz-Signature=s", 1795420800.0),
        ("AWSAccessKeyId=k&Expires=1467721669&Signature=s", 1467721669.0),
        ("X-Amz-Date=20261123T060000Z", None),
        ("X-Amz-Date=yesterday&X-Amz-Expires=7200", None),
        ("Expires=soon", None),
        ("", None),
    ],
)
def test_the_expiry_of_a_url(query: str, seconds: float | None) -> None:
    """A presigned URL shows when it expires; a URL that does not show it has no known expiry."""
    assert expiry(f"https://bucket.s3.amazonaws.com/key?{query}") == seconds
