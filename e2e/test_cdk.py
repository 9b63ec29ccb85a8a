"""CDK apps in an emulated account, deployed with the CDK's command line: with their own provider, or a deployed one."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.account import Account
from e2e.tools import ACCOUNT, BIN, CERTIFICATE, REGION, ROOT, environment, run
from provider.emulator.emulator import Emulator

NODE_MODULES = BIN.parent / "cdk" / "node_modules"
SHARED_APP = ROOT / "examples" / "cdk" / "several_stacks.py"
PYTHON_APP, TYPESCRIPT = ROOT / "examples" / "cdk" / "app.py", ROOT / "examples" / "cdk" / "typescript"
ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/"
QUIET = {
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_DISABLE_VERSION_CHECK": "1",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    "NODE_NO_WARNINGS": "1",
}
"""Turns off telemetry, version checks, and their warnings."""

Cdk = Callable[..., str]


@pytest.fixture(scope="module")
def cdk(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Cdk:
    """Runs the CDK's command line in a bootstrapped account."""
    home = tmp_path_factory.mktemp("home")
    # Builds of the assets need pip's settings, which name this machine's package registry.
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    endpoint = {"AWS_ENDPOINT_URL": account.stacks.meta.endpoint_url, "AWS_CA_BUNDLE": str(CERTIFICATE)}
    variables = environment(home, **endpoint, NODE_EXTRA_CA_CERTS=str(CERTIFICATE), **QUIET, **pip)
    # A build looks for Lambda's Python on the path, to compile the asset's bytecode.
    variables["PATH"] = f"{BIN}:{variables['PATH']}"
    variables.setdefault("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip"))

    def command(*arguments: str, app: str = "", output: Path | None = None) -> str:
        options = ["--no-notices", *(["--app", app] if app else []), *(["--output", str(output)] if output else [])]
        return run([str(NODE_MODULES / ".bin" / "cdk"), *arguments, *options], variables)

    command("bootstrap", f"aws://{ACCOUNT}/{REGION}")
    return command


@pytest.fixture
def typescript(tmp_path: Path) -> Path:
    """The TypeScript example, with generated types and installed packages."""
    folder = tmp_path / "typescript"
    shutil.copytree(TYPESCRIPT, folder, ignore=shutil.ignore_patterns("node_modules", "cdk.out"))
    (folder / "node_modules").symlink_to(NODE_MODULES)
    in_folder = ["npm", "--prefix", str(folder), "run", "types", "--", str(ROOT / "docs" / "properties.schema.json")]
    run(in_folder, environment(tmp_path))
    run([str(NODE_MODULES / ".bin" / "tsc"), "--project", str(folder)], environment(tmp_path))
    return folder


def described(folder: Path, description: str) -> str:
    """Return the command that runs the example app with another description."""
    app = folder / "app.py"
    app.write_text(PYTHON_APP.read_text("utf-8").replace("Golden image for all teams", description), "utf-8")
    return f"{sys.executable} {app}"


def test_an_app_is_deployed_updated_and_destroyed(
    cdk: Cdk, tmp_path: Path, account: Account, service: Emulator
) -> None:
    """`cdk deploy` creates the provider and the configuration and updates it in place; `cdk destroy` deletes it."""
    arn, output = f"{ARN}golden-image", tmp_path / "cdk.out"
    cdk("deploy", "--require-approval", "never", app=described(tmp_path, "first"), output=output)
    assert account.outputs("golden-image") == {"DistributionConfigurationArn": arn, "Regions": REGION}
    assert service.configurations[arn]["description"] == "first"
    assert service.configurations[arn]["distributions"][0]["s3ExportConfiguration"]["diskImageFormat"] == "VMDK"
    cdk("deploy", "--require-approval", "never", app=described(tmp_path, "second"), output=output)
    assert service.configurations[arn]["description"] == "second"
    cdk("destroy", "--force", app=described(tmp_path, "second"), output=output)
    assert arn not in service.configurations


def test_stacks_of_an_app_share_a_configuration(cdk: Cdk, tmp_path: Path, account: Account, service: Emulator) -> None:
    """With a ledger, the app's provider merges what another stack contributes, and withdraws it with that stack."""
    arn, app, output = f"{ARN}shared-image", f"{sys.executable} {SHARED_APP}", tmp_path / "cdk.out"

    def permission() -> dict[str, list[str]]:
        (distribution,) = service.configurations[arn]["distributions"]
        found: dict[str, list[str]] = distribution["amiDistributionConfiguration"].get("launchPermission", {})
        return found

    cdk("deploy", "--all", "--require-approval", "never", app=app, output=output)
    assert permission() == {"userIds": ["111122223333"]}
    assert account.outputs("platform")["LedgerTableName"]
    cdk("destroy", "--force", "team-a", app=app, output=output)
    assert permission() == {}
    cdk("destroy", "--force", "platform", app=app, output=output)
    assert arn not in service.configurations


def test_an_app_in_typescript_uses_the_deployed_provider(
    cdk: Cdk, typescript: Path, account: Account, service: Emulator
) -> None:
    """The TypeScript example deploys a CustomResource with the ServiceToken that the provider exports."""
    arn, app = f"{ARN}golden-image-ts", f"node {typescript / 'app.js'}"
    cdk("deploy", "--require-approval", "never", app=app, output=typescript / "cdk.out")
    assert account.outputs("golden-image-ts") == {"DistributionConfigurationArn": arn, "Regions": REGION}
    cdk("destroy", "--force", app=app, output=typescript / "cdk.out")
    assert arn not in service.configurations


def test_a_misspelled_name_does_not_compile(typescript: Path) -> None:
    """The types that are generated from the schema contain every property name, at any depth."""
    app = typescript / "app.ts"
    app.write_text(app.read_text("utf-8").replace("LaunchPermission:", "LaunchPermissions:"), "utf-8")
    with pytest.raises(RuntimeError, match="'LaunchPermissions' does not exist"):
        run([str(NODE_MODULES / ".bin" / "tsc"), "--project", str(typescript)], environment(typescript))


def test_assets_are_reproducible(cdk: Cdk, tmp_path: Path) -> None:
    """Synthesizing into two folders creates the same assets, byte for byte."""
    folders = [tmp_path / "here", tmp_path / "there"]
    for folder in folders:
        cdk("synth", "--quiet", app=f"{sys.executable} {PYTHON_APP}", output=folder)
    here, there = (
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("asset.*/**/*") if path.is_file()}
        for folder in folders
    )
    assert len({name.partition("/")[0] for name in here}) == 2
    assert here == there
    manifests = [json.loads((folder / "golden-image.assets.json").read_text())["files"].keys() for folder in folders]
    assert manifests[0] == manifests[1]
