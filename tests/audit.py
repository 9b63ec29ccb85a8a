"""Known vulnerabilities of the packages in the lock files: pip-audit's answers, and what its silence is worth.

`python -m tests.audit PIP_AUDIT` is run by `make audit`. To pip-audit a package is clean that its service does not
know, and so is every package where a registry answers in the service's place. Here that is said, and is no failure: an
audit without a network finds nothing out, but stops nobody.

Source: pip-audit's README, "Usage", for the JSON that it writes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LOCKS = [ROOT / "provider/build/lambda.lock", *sorted((ROOT / "requirements").glob("*.lock"))]
"""What ships comes first: where nothing is known of that, nothing else is asked."""


class Verdict(NamedTuple):
    """What is known of one lock file: its vulnerable packages, each with its reasons; those that nobody answered for.

    `audited` is how many were answered for; `problem` says why there was no answer at all, and is empty otherwise.
    """

    audited: int = 0
    vulnerable: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    problem: str = ""

    def __str__(self) -> str:
        """The verdict in one line, the worst first."""
        told = [f"VULNERABLE: {'; '.join(self.vulnerable)}"] if self.vulnerable else []
        told += [f"NOT AUDITED: {self.problem}"] if self.problem else []
        told += [f"NOT AUDITED, as the service does not know them: {', '.join(self.unknown)}"] if self.unknown else []
        return "; ".join([*told, f"{self.audited} packages audited"])


def read(output: str, error: str) -> Verdict:
    """The verdict in what pip-audit wrote to its two streams."""
    try:
        found = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return Verdict(problem=(error.strip().splitlines() or ["pip-audit said nothing"])[-1])
    vulnerable = tuple(
        f"{one['name']} {one['version']} ({known['id']}, mended in {', '.join(known['fix_versions']) or 'no version'})"
        for one in found
        for known in one.get("vulns", ())
    )
    unknown = tuple(one["name"] for one in found if "skip_reason" in one)
    return Verdict(len(found) - len(unknown), vulnerable, unknown)


def audit(pip_audit: str, lock: Path) -> Verdict:
    """Ask pip-audit, the command of that name, about a lock file."""
    command = [pip_audit, "--requirement", str(lock), "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return read(ran.stdout, ran.stderr)


def main(pip_audit: str) -> int:
    """Audit all lock files, or the first one where there is no answer; 1 where a package is known to be vulnerable."""
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
