"""The example app synthesizes, and cfn-lint with the provider's rules finds no problems."""

import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from provider.resources import DISTRIBUTION_CONFIGURATION
from provider.template.sections import load
from tests.construct.conftest import NOT_BUILT
from tests.deployed import deployed
from tests.stack import STACK_ID

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "cdk"
GUIDE = ROOT / "docs" / "cdk.md"
TESTING = ROOT / "docs" / "cdk-testing.md"


@pytest.fixture(scope="module", params=[{}, {"pipeline": "golden-image"}], ids=["alone", "beside a pipeline"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template that the app synthesizes, without its assets."""
    folder = tmp_path_factory.mktemp("example")
    variables = {
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps({**NOT_BUILT, **request.param}),
        "CDK_VALIDATION": "false",
    }
    subprocess.run([sys.executable, "app.py"], cwd=EXAMPLE, check=True, env={**os.environ, **variables})
    return folder / "golden-image.template.json"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the templates of the app for two Regions and two accounts."""
    folder = tmp_path_factory.mktemp("elsewhere")
    variables = {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(NOT_BUILT), "CDK_VALIDATION": "false"}
    command = [sys.executable, "two_regions_two_accounts.py"]
    subprocess.run(command, cwd=EXAMPLE, check=True, env={**os.environ, **variables})
    return folder


def test_the_example_for_two_accounts_allows_what_it_uses(elsewhere: Path) -> None:
    """The app's provider may use the Region and the role, and the role trusts the provider's role and the stack."""
    here = deployed(load(elsewhere / "images.template.json"), {})
    there = deployed(load(elsewhere / "images-role.template.json"), {})
    golden = [one["Properties"] for one in here.values() if one["Type"] == DISTRIBUTION_CONFIGURATION]
    used = {one["RoleArn"] for one in golden if "RoleArn" in one}
    assert used == {"arn:aws:iam::210987654321:role/image-distribution"}
    (function,) = [
        one["Properties"] for name, one in here.items() if name.startswith("ProviderFunction") and "Ev" not in name
    ]
    assert {function["Environment"]["Variables"]["ASSUMABLE_ROLE_ARNS"]} == used
    (role,) = [one["Properties"] for one in there.values() if one["Type"] == "AWS::IAM::Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    (name,) = [
        name for name, one in here.items() if one["Type"] == "AWS::IAM::Role" and name.startswith("ProviderRole")
    ]
    patterns = statement["Condition"]
    assert fnmatchcase(f"arn:aws:iam::123456789012:role/images-{name}-1A2B", patterns["ArnLike"]["aws:PrincipalArn"])
    assert fnmatchcase(STACK_ID, patterns["StringLike"]["sts:ExternalId"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the templates of the app whose stacks share a configuration."""
    folder = tmp_path_factory.mktemp("shared")
    variables = {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(NOT_BUILT), "CDK_VALIDATION": "false"}
    subprocess.run([sys.executable, "several_stacks.py"], cwd=EXAMPLE, check=True, env={**os.environ, **variables})
    return folder


@pytest.mark.parametrize("stack", ["platform", "team-a"])
def test_the_example_of_several_stacks_lints_clean(shared: Path, stack: str) -> None:
    """cfn-lint finds no errors or warnings in the stacks of the app, with the provider's rules."""
    # W3005: as below.
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    template = str(shared / f"{stack}.template.json")
    command = [cfn_lint, template, "--append-rules", "provider.lint", "--ignore-checks", "W3005"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize("stack", ["images", "images-role"])
def test_the_example_for_two_accounts_lints_clean(elsewhere: Path, stack: str) -> None:
    """cfn-lint finds no errors or warnings in the app's stacks."""
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [cfn_lint, str(elsewhere / f"{stack}.template.json"), "--ignore-checks", "W3005"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_example_lints_clean(template: Path) -> None:
    """cfn-lint finds no errors or warnings in the synthesized example, with the provider's rules."""
    # W3005: the CDK adds a DependsOn from a function to its role, which the function's properties imply.
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [cfn_lint, str(template), "--append-rules", "provider.lint", "--ignore-checks", "W3005"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize(
    "file", ["app.py", "several_stacks.py", "test_images.py", "typescript/app.ts", "typescript/types.mjs"]
)
def test_the_guide_shows_what_is_tested(file: str) -> None:
    """The code in the guides is that of the examples, which are synthesized here and deployed in e2e."""
    text = GUIDE.read_text("utf-8") + TESTING.read_text("utf-8")
    blocks = re.findall(r"```(?:python|ts|js)\n(.*?)```", text, re.DOTALL)
    assert any(block.strip() in (EXAMPLE / file).read_text("utf-8") for block in blocks if len(block) > 300)


def test_the_tests_of_the_example_pass_twice(tmp_path: Path) -> None:
    """The example's tests write the snapshot, pass against it, and fail if the template changes."""
    tests = tmp_path / "test_images.py"
    shutil.copy(EXAMPLE / "test_images.py", tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tests)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*options: str) -> int:
        return subprocess.run([*command, *options], check=False, env=variables, capture_output=True).returncode

    assert run() == 0
    assert run("-k", "snapshot") == 0
    tests.write_text(tests.read_text("utf-8").replace('"us-east-1"', '"eu-west-1"'), "utf-8")
    assert run("-k", "snapshot") == 1
    assert not [*tmp_path.glob("cdk.out/asset.*")]
