"""The output of the commands, on terminals and elsewhere."""

import io
from datetime import UTC, datetime

import pytest

from provider.cli.screen import Screen
from provider.stack_engine.stacks import StackEvent


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def event(status: str, reason: str = "") -> StackEvent:
    return StackEvent(datetime(2026, 11, 23, 6, 22, tzinfo=UTC), "Images", "arn", "Custom::T", status, reason)


@pytest.mark.parametrize(
    ("out", "no_color", "colored"),
    [(Terminal(), "", True), (Terminal(), "1", False), (io.StringIO(), "", False)],
)
def test_color(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, no_color: str, colored: bool) -> None:
    """Output has color only on a terminal, and only if NO_COLOR is not set."""
    monkeypatch.setenv("NO_COLOR", no_color)
    Screen(out, ["Images"]).event(event("CREATE_FAILED"))
    assert ("\x1b[31m" in out.getvalue()) is colored


def test_long_reasons_are_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reason that does not fit next to its status is on the next lines, broken only between words."""
    monkeypatch.setenv("COLUMNS", "80")
    out = io.StringIO()
    arn = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/" + "a" * 40
    Screen(out, ["Images"]).event(event("CREATE_FAILED", f"already there {'and so on ' * 12}{arn}"))
    first, *rest = out.getvalue().splitlines()
    assert first.endswith("CREATE_FAILED")
    assert len({len(line) - len(line.lstrip()) for line in rest}) == 1
    assert all(len(line) <= 80 or line.strip() == arn for line in rest)
    assert rest[-1].strip() == arn


def test_differences() -> None:
    """A difference is shown with its path: + added, - removed, ~ changed; lists by their entries."""
    out = io.StringIO()
    before = {
        "description": "old",
        "distributions": [
            {
                "region": "us-east-1",
                "amiDistributionConfiguration": {"launchPermission": {"userIds": ["1", "012"]}},
                "licenseConfigurationArns": ["x"],
            }
        ],
    }
    after = {
        "description": "new",
        "distributions": [
            {
                "region": "us-east-1",
                "amiDistributionConfiguration": {"launchPermission": {"userIds": ["012", "2"]}},
                "s3ExportConfiguration": {"roleName": "r", "s3Prefix": "0042"},
            }
        ],
    }
    Screen(out).changes({"arn": before, "same": before}, {"arn": after, "same": before})
    region = 'Distributions["us-east-1"]'
    assert [line.strip() for line in out.getvalue().splitlines()] == [
        "~ arn (changed)",
        '~ Description: "old" -> "new"',
        f"~ {region}.AmiDistributionConfiguration.LaunchPermission.UserIds:",
        '-   "1"',
        '+   "2"',
        f"- {region}.LicenseConfigurationArns:",
        "-   - x",
        f"+ {region}.S3ExportConfiguration:",
        "+   RoleName: r",
        '+   S3Prefix: "0042"',
    ]


def test_no_difference() -> None:
    """If nothing changed, the output says so."""
    out = io.StringIO()
    Screen(out).changes({}, {})
    assert out.getvalue().strip() == "No configuration changed."
