"""Secrets are taken out of texts, however they are spelled."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provider.protocol.redaction import redact

PIECES = st.sampled_from(
    [
        "X-Amz-Signature",
        "x-amz-credential",
        "X-AMZ-SECURITY-TOKEN",
        "Signature",
        "\u017fignature",
        "AWSAccessKeyId",
        "other",
    ]
)
AROUND = st.text(st.characters(exclude_categories=["L", "Cs"]))
SIGNS = st.sampled_from(["=", ":", "%3D", "%3d", " = "])


@given(AROUND, PIECES, SIGNS, st.from_regex(r"[a-z0-9]{12,40}", fullmatch=True), AROUND)
@example("", "\u017fignature", "=", "0123456789ab", "")
def test_what_signs_is_removed(before: str, name: str, sign: str, secret: str, after: str) -> None:
    """The value of whatever signs a request is removed, in any letter case, and only that."""
    told = redact(f"{before} {name}{sign}{secret} {after}")
    assert (f"{name}{sign}{secret}" in told) == (name == "other")


@pytest.mark.parametrize("key", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"])
def test_an_access_key_is_removed(key: str) -> None:
    """Access keys are removed wherever they stand."""
    assert key not in redact(f"key {key}, said the error")
