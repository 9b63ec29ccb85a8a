"""The example app synthesizes, and cfn-lint with the provider's rules finds no problems."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.construct.conftest import NOT_BUILT

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


def test_the_example_lints_clean(template: Path) -> None:
    """cfn-lint finds no errors or warnings in the synthesized example, with the provider's rules."""
    # W3005: the CDK adds a DependsOn from a function to its role, which the function's properties imply.
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [cfn_lint, str(template), "--append-rules", "provider.lint", "--ignore-checks", "W3005"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize("file", ["app.py", "test_images.py", "typescript/app.ts", "typescript/types.mjs"])
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
