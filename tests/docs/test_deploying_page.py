"""docs/deploying.md is right about guided deployments, about what a VPC needs, and about releases."""

import re
import shlex

import pytest

from provider.schema.model import FOR_SOURCES, LEDGER_SERVICE, SERVICE
from provider.template.sections import load
from tests.docs.page import DOCS, ROOT, commands, rows

PAGE = DOCS / "deploying.md"
PARAMETERS = load(ROOT / "template.yaml").parameters


def test_it_starts_with_the_warning_about_guided_deployments() -> None:
    """The page starts with a warning about `--guided`: the parameters that widen the role, and the safe command."""
    warning = PAGE.read_text("utf-8").split("\n\n")[1].replace("\n> ", " ")
    assert warning.startswith("> [!CAUTION] `sam deploy --guided`")
    for name, default in (("NamePattern", "*"), ("LaunchTemplates", "Allowed"), ("PermissionsBoundary", "")):
        assert f"`{name}`" in warning
        assert PARAMETERS[name]["Default"] == default
    assert "use `sam deploy` without `--guided`" in warning


def test_a_deployment_asks_first() -> None:
    """The settings of `sam deploy` ask for confirmation, as the page says."""
    assert re.search("^confirm_changeset = true$", (ROOT / "samconfig.toml").read_text("utf-8"), re.MULTILINE)
    assert "asks whether to deploy them" in PAGE.read_text("utf-8")


def test_every_service_has_an_endpoint() -> None:
    """The table of endpoints lists the services whose clients the function creates, and S3 for the responses."""
    listed = [row[0].strip("`") for row in rows(PAGE, "In a VPC")]
    assert sorted(listed) == sorted({SERVICE, "sts", *FOR_SOURCES, LEDGER_SERVICE, "s3"})


@pytest.mark.parametrize("name", ["SubnetIds", "SecurityGroupIds"])
def test_the_example_of_a_vpc_is_valid(name: str) -> None:
    """The example for a VPC has valid values for both parameters."""
    (command,) = [line for line in commands(PAGE) if "SubnetIds=subnet" in line]
    given = dict(one.split("=", 1) for one in shlex.split(command) if "=" in one)
    assert re.fullmatch(PARAMETERS[name]["AllowedPattern"], given[name])


def test_no_page_requires_a_release() -> None:
    """No page pins a version of this project in a command or example: there may be no release."""
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    pinned = re.compile(r"rev: v|git checkout v\d|--branch v\d|image-builder-distribution-provider(\.git)?@")
    assert not [page.name for page in pages if pinned.search(page.read_text("utf-8"))]
