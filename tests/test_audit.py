"""The lock files are pinned with hashes and audited for vulnerabilities. SECURITY.md claims this."""

import json
import re
from pathlib import Path

import pytest

from tests.audit import LOCKS, ROOT, main, read

CLEAN = {"name": "botocore", "version": "1.44.5", "vulns": []}
KNOWN = {"name": "six", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": []}]}
SKIPPED = {"name": "boto3", "skip_reason": "Dependency not found on PyPI and could not be audited: boto3 (1.44.5)"}


def output_about(*dependencies: object) -> str:
    """Return pip-audit's output about packages."""
    return json.dumps({"dependencies": dependencies, "fixes": []})


@pytest.fixture
def pip_audit(tmp_path: Path) -> Path:
    """A command that returns pip-audit's output for one lock file after the other, and counts its calls."""
    command = tmp_path / "pip-audit"
    command.write_text(f'#!/bin/sh\necho asked >> "{tmp_path}/count"\ncat "{tmp_path}/answer"\n')
    command.chmod(0o755)
    return command


def asked(command: Path) -> int:
    return len(command.with_name("count").read_text().splitlines())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_pinned_with_hashes(lock: Path) -> None:
    """Each line of a lock file names one package in one version, with the hashes of its files."""
    text = re.sub(r"\\\n\s*", "", lock.read_text("utf-8"))
    pinned = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert pinned
    assert not [
        line
        for line in pinned
        if not re.match(r"[-._a-zA-Z0-9]+==[^ ]+ (; .+ )?(--hash=sha256:[0-9a-f]{64} ?)+$", line)
    ]


def test_every_set_of_requirements_is_locked() -> None:
    """Each file in requirements/ has a lock file."""
    assert {path.stem for path in LOCKS} == {path.stem for path in (ROOT / "requirements").glob("*.in")}


def test_every_claim_has_its_test() -> None:
    """Each test that SECURITY.md names exists."""
    cited = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text("utf-8")))
    texts = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    assert cited
    assert not [name for name in cited if not any(f"def {name}(" in text for text in texts)]


def test_a_vulnerability_is_reported_with_its_fix() -> None:
    """A vulnerable package is reported with its version, the vulnerability, and the version that fixes it."""
    verdict = read(output_about(CLEAN, KNOWN), "")
    assert verdict.vulnerable == ("six 1.0 (PYSEC-1, mended in 1.1)",)
    assert str(verdict).startswith("VULNERABLE: six 1.0")


def test_an_unknown_package_is_not_audited() -> None:
    """A package that the service does not know is reported as not audited."""
    verdict = read(output_about(CLEAN, SKIPPED), "No known vulnerabilities found")
    assert (verdict.audited, verdict.unknown) == (1, ("boto3",))
    assert "NOT AUDITED" in str(verdict)


@pytest.mark.parametrize("output", ["", "<html>", "{}"])
def test_an_error_is_reported_by_its_last_line(output: str) -> None:
    """If pip-audit fails, the last line of its error is reported."""
    assert read(output, "Traceback\nProxyError: no way out\n").problem == "ProxyError: no way out"


@pytest.mark.parametrize(
    ("answer", "status", "locks"),
    [
        (output_about(CLEAN), 0, len(LOCKS)),
        (output_about(CLEAN, KNOWN), 1, len(LOCKS)),
        (output_about(SKIPPED), 0, 1),
        ("", 0, 1),
    ],
    ids=["clean", "vulnerable", "unknown", "unreachable"],
)
def test_only_vulnerabilities_fail_the_audit(pip_audit: Path, answer: str, status: int, locks: int) -> None:
    """A vulnerability in any lock file fails the audit. An unavailable service does not, and is called once."""
    pip_audit.with_name("answer").write_text(answer)
    assert main(str(pip_audit)) == status
    assert asked(pip_audit) == locks
