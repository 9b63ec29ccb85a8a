"""Shared by the reliability tests."""

from collections.abc import Iterator

import pytest

from tests.reliability.scenarios.world import Machinery


@pytest.fixture(scope="module")
def machinery() -> Iterator[Machinery]:
    """Servers, and a process to fork, for all scenarios of a module."""
    with Machinery() as running:
        yield running
