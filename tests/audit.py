"""Audits the lock files for known vulnerabilities with pip-audit.

`make audit` runs `python -m tests.audit PIP_AUDIT`. pip-audit treats a package as clean if its service does not know
the package, or if a registry responds in place of the service. This module reports such packages as not audited. That
is no failure, so an audit without a network passes.

Source: pip-audit's README, "Usage", for the JSON that it writes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LOCKS = [ROOT / "provider/build/lambda.lock", *sorted((ROOT / "requirements").glob("*.lock"))]
"""The shipped packages come first: if the service knows nothing of them, no other file is audited."""


class Verdict(NamedTuple):
    """The result for one lock file: vulnerable packages with their vulnerabilities, and packages that are unknown.

    `audited` is the number of audited packages. `problem` is the error if pip-audit failed, otherwise empty.
    """

    audited: int = 0
    vulnerable: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    problem: str = ""

    def __str__(self) -> str:
        """Return the verdict in one line, the worst first."""
        parts = [f"VULNERABLE: {'; '.join(self.vulnerable)}"] if self.vulnerable else []
        parts += [f"NOT AUDITED: {self.problem}"] if self.problem else []
        parts += [f"NOT AUDITED, as the service does not know them: {', '.join(self.unknown)}"] if self.unknown else []
        return "; ".join([*parts, f"{self.audited} packages audited"])


def read(output: str, error: str) -> Verdict:
    """Parse pip-audit's standard output and standard error."""
    try:
        found = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return Verdict(problem=(error.strip().splitlines() or ["pip-audit printed nothing"])[-1])
    vulnerable = tuple(
        f"{one['name']} {one['version']} ({known['id']}, mended in {', '.join(known['fix_versions']) or 'no version'})"
        for one in found
        for known in one.get("vulns", ())
    )
    unknown = tuple(one["name"] for one in found if "skip_reason" in one)
    return Verdict(len(found) - len(unknown), vulnerable, unknown)


def audit(pip_audit: str, lock: Path) -> Verdict:
    """Run pip-audit on a lock file."""
    command = [pip_audit, "--requirement", str(lock), "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return read(ran.stdout, ran.stderr)


def main(pip_audit: str) -> int:
    """Audit all lock files, or only the first if the service is unavailable. Returns 1 for a vulnerable package."""
    vulnerable = False
    for lock in LOCKS:
        verdict = audit(pip_audit, lock)
        print(f"{lock.relative_to(ROOT)}: {verdict}", flush=True)
        vulnerable |= bool(verdict.vulnerable)
        if not verdict.audited:
            print("the other lock files were not audited either")
            break
    return int(vulnerable)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
