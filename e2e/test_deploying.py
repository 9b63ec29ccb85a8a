"""The ways to deploy the provider and the examples, each with its tool, as documented.

What ministack does not support, and how the tests handle that:

- Transforms in a nested stack's template. The nested application is built as it is, but deployed with the packaged
  template, which needs no transform, instead of template.yaml.
- Image pipelines. An SSM parameter takes the place of the one that imports a configuration's ARN.
"""

import hashlib
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from botocore.exceptions import ClientError
from packaging.requirements import Requirement

from e2e.account import PROVIDER_STACK, Account
from e2e.conftest import Application
from e2e.tools import BIN, CERTIFICATE, ROOT, SAM, environment, run
from provider import __version__
from provider.emulator.emulator import Emulator
from provider.emulator.server import LoopbackServer, Reply

EXAMPLES = ROOT / "examples"
GOLDEN, EXPORTED = (EXAMPLES / "cloudformation" / f"golden-image{name}.yaml" for name in ("", "-exported"))
DEPLOYING = ROOT / "docs" / "deploying.md"
ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/"
DEVELOPER = ROOT / ".venv" / "bin"
BUCKET = "code-of-the-provider"

Cli: TypeAlias = Callable[..., str]


@pytest.fixture(scope="module")
def variables(account: Account, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user's shell, with the AWS CLI and SAM, whose endpoint is the account."""
    url = account.stacks.meta.endpoint_url
    home = tmp_path_factory.mktemp("home")
    found = environment(home, **SAM, AWS_ENDPOINT_URL=url, AWS_CA_BUNDLE=str(CERTIFICATE))
    return {**found, "PATH": f"{DEVELOPER}:{BIN}:{found['PATH']}"}


@pytest.fixture(scope="module")
def shell(variables: dict[str, str]) -> Cli:
    """Runs shell commands in the checkout and returns their output."""
    return lambda line: run(["sh", "-euc", line], variables)


@dataclass(frozen=True)
class Packaged:
    """The output folder of `make package`, and the commands that it printed."""

    folder: Path
    commands: str


@pytest.fixture(scope="module")
def packaged() -> Packaged:
    """The application, packaged as documented. `make release` also runs `make package`."""
    made = run(["make", "--no-print-directory", "release"], os.environ)
    return Packaged(ROOT / "build" / "package", made.partition("BUCKET=...")[2])


@pytest.fixture(scope="module")
def plain(packaged: Packaged, account: Account, shell: Cli) -> Iterator[str]:
    """The provider's stack as the printed commands deploy it, with a different name than SAM's stack."""
    name = "plain-provider"
    commands = packaged.commands.replace(f"name {PROVIDER_STACK}", f"name {name}")
    beside = f" ServiceTokenExport={name}-ServiceToken"
    shell(f"aws s3 mb s3://{BUCKET}; BUCKET={BUCKET}{commands.rstrip()}{beside}")
    yield name
    assert account.delete(name) == "DELETE_COMPLETE"
    shell(f"aws s3 rb --force s3://{BUCKET}")


@pytest.fixture
def stack(account: Account) -> Iterator[Callable[..., str]]:
    """Creates stacks, and deletes them after the test in reverse order."""
    names: list[str] = []

    def create(name: str, template: Path) -> str:
        names.append(name)
        return account.create(name, template)

    yield create
    assert [account.delete(name) for name in reversed(names)] == ["DELETE_COMPLETE"] * len(names)


def edited(template: Path, folder: Path, replacements: Mapping[str, str]) -> Path:
    """Copy a template and replace texts, all of which it must contain."""
    text = template.read_text(encoding="utf-8")
    for old, new in replacements.items():
        assert old in text
        text = text.replace(old, new)
    copy = folder / template.name
    copy.write_text(text, encoding="utf-8")
    return copy


def test_plain_cloudformation_deploys_a_working_provider(
    account: Account, service: Emulator, plain: str, tmp_path: Path
) -> None:
    """The provider from `make package` and its printed commands can create, update, and delete a stack."""
    token = {f"{PROVIDER_STACK}-ServiceToken": f"{plain}-ServiceToken"}
    assert account.create("plain", edited(GOLDEN, tmp_path, token)) == "CREATE_COMPLETE"
    assert service.configurations[f"{ARN}golden-image-production"]["tags"]["Team"] == "platform"
    assert account.update("plain", edited(EXPORTED, tmp_path, token)) == "UPDATE_COMPLETE"
    assert service.configurations[f"{ARN}golden-image-production"]["tags"]["Team"] == "images"
    assert account.delete("plain") == "DELETE_COMPLETE"
    assert f"{ARN}golden-image-production" not in service.configurations


def test_a_release_contains_the_packages(packaged: Packaged) -> None:
    """A release contains the wheel, the source distribution, the template, its zip files, and all their checksums."""
    release = ROOT / "build" / "release"
    digests = {
        name: digest for digest, name in map(str.split, (release / "SHA256SUMS").read_text("utf-8").splitlines())
    }
    files = {path.name: path.read_bytes() for path in release.iterdir() if path.name != "SHA256SUMS"}
    assert digests == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    distribution = f"image_builder_distribution_provider-{__version__}"
    package = {path.name for path in packaged.folder.iterdir()}
    assert files.keys() == {f"{distribution}-py3-none-any.whl", f"{distribution}.tar.gz", *package}
    assert all(files["template.yaml"].count(name.encode()) == 1 for name in package - {"template.yaml"})
    assert [*ROOT.glob("*.egg-info")] == [], "with metadata, the checkout would look like an installation"


def test_the_same_package_is_no_update(packaged: Packaged, plain: str, shell: Cli) -> None:
    """Deploying the same package again changes nothing."""
    deploy = f"aws cloudformation deploy --template-file {packaged.folder}/template.yaml --stack-name {plain}"
    options = f"--capabilities CAPABILITY_IAM --parameter-overrides CodeBucket={BUCKET} --no-fail-on-empty-changeset"
    assert "No changes to deploy" in shell(f"{deploy} {options}")


def test_the_stack_set_commands_deploy_from_the_regions_bucket(
    account: Account, packaged: Packaged, shell: Cli
) -> None:
    """The commands for an organization fill each Region's bucket, from which the StackSet's parameters deploy."""
    (recipe,) = re.findall(
        r"^make package\n(CODE=.*?)^```", DEPLOYING.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    # ministack has no StackSets; with this option, the AWS CLI only validates the request.
    recipe, commands = re.subn(
        "(create-stack-set|create-stack-instances)", r"\1 --generate-cli-skeleton output", recipe
    )
    assert commands == 2
    shell(recipe.replace("'us-east-1 eu-west-1'", "us-east-1"))
    parameters = "CodeBucket=acme-code CodeBucketPerRegion=true ServiceTokenExport=instance-ServiceToken"
    template = f"--template-file {packaged.folder}/template.yaml --capabilities CAPABILITY_IAM"
    shell(f"aws cloudformation deploy {template} --stack-name instance --parameter-overrides {parameters}")
    assert account.delete("instance") == "DELETE_COMPLETE"


def test_the_functions_can_run_in_a_vpc(account: Account, application: Application, shell: Cli) -> None:
    """With a VPC, the functions' roles allow network interfaces; the processor and the version are as they should be.

    ministack does not return a function's VPC. tests/construct compares it with the CDK's.
    """
    overrides = "SubnetIds=subnet-0a1b2c3d,subnet-4e5f6a7b SecurityGroupIds=sg-0a1b2c3d Architecture=x86_64"
    options = "--stack-name vpc --resolve-s3 --capabilities CAPABILITY_IAM --no-progressbar"
    shell(f"sam deploy --template-file {application.template} {options} --parameter-overrides {overrides}")
    assert account.outputs("vpc")["Version"] == __version__
    for name in ("ProviderFunction", "LastResortFunction"):
        found = account.functions.get_function(FunctionName=account.resource("vpc", name))
        assert found["Configuration"]["Architectures"] == ["x86_64"]
        assert found["Tags"].items() >= {"image-builder-distribution:version": __version__}.items()
    for name in ("ProviderRole", "LastResortRole"):
        policies = json.loads(shell(f"aws iam list-role-policies --role-name {account.resource('vpc', name)}"))
        assert "network-interfaces" in policies["PolicyNames"]
    assert account.delete("vpc") == "DELETE_COMPLETE"


def test_sam_finds_no_problems(shell: Cli) -> None:
    """`sam validate --lint` accepts the application and the SAM examples."""
    for template in ("template.yaml", *(f"examples/sam/{one.name}" for one in (EXAMPLES / "sam").glob("*.yaml"))):
        assert "is a valid SAM Template" in shell(f"sam validate --lint --template {template}")


def test_sam_reports_the_provider_s_findings(variables: dict[str, str], tmp_path: Path) -> None:
    """`sam validate --lint` reports the provider's findings if `.cfnlintrc` appends its rules."""
    edited(EXAMPLES / "sam" / "template.yaml", tmp_path, {"Name: worker\n": "Nmae: worker\n"})
    (tmp_path / ".cfnlintrc").write_text("append_rules: [provider.lint]\n", "utf-8")
    ran = subprocess.run(
        [str(BIN / "sam"), "validate", "--lint"],
        env={**variables, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "Nmae: unknown property; did you mean Name?" in ran.stdout


def test_the_package_can_be_installed_with_sam() -> None:
    """The package's requirements are compatible with the versions that the SAM CLI requires."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["cli"]]
    wanted = {one.name: one.specifier for one in map(Requirement, requirements)}
    (packages,) = (BIN.parent / "lib").glob("python*/site-packages")
    found = {one.name: one.version for one in distributions(path=[str(packages)])}
    beside = wanted.keys() & found.keys()
    assert beside >= {"boto3", "cfn-lint", "click"}
    assert {name: found[name] for name in beside if found[name] not in wanted[name]} == {}


def test_a_nested_application_is_built(tmp_path: Path) -> None:
    """`sam build` of the application that nests the provider builds the provider's functions as well."""
    command = [str(BIN / "sam"), "build", "--template", str(EXAMPLES / "sam" / "nested-application.yaml")]
    # With the user's environment, which names this machine's package registry.
    run([*command, "--build-in-source", "--build-dir", str(tmp_path / "build")], {**os.environ, **SAM})
    for function in ("ProviderFunction", "LastResortFunction"):
        assert (tmp_path / "build" / "Provider" / function / "provider" / "cloudformation").is_dir()


def test_a_nested_provider_serves_its_application(
    account: Account, service: Emulator, plain: str, packaged: Packaged, shell: Cli, tmp_path: Path
) -> None:
    """The provider nested in an application creates and deletes the application's configuration."""
    del plain  # for its bucket
    code = f"{{ CodeBucket: {BUCKET}, ServiceTokenExport: nested-ServiceToken }}"
    here = {"../../template.yaml": f"{packaged.folder}/template.yaml"}
    here["Parameters:\n        NamePattern: nested-*"] = f"Parameters: {code}"
    nested = edited(EXAMPLES / "sam" / "nested-application.yaml", tmp_path, here)
    capabilities = "--capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
    shell(f"sam deploy --template {nested} --stack-name nested --resolve-s3 {capabilities} --no-progressbar")
    outputs = account.outputs("nested")
    assert outputs["DistributionConfigurationArn"] == f"{ARN}nested-images"
    assert outputs["ServiceToken"] != account.outputs(PROVIDER_STACK)["ServiceToken"]
    assert f"{ARN}nested-images" in service.configurations
    assert account.delete("nested") == "DELETE_COMPLETE"
    assert f"{ARN}nested-images" not in service.configurations


def test_one_provider_manages_two_regions_and_accounts(
    account: Account, service: Emulator, plain: str, packaged: Packaged, shell: Cli, tmp_path: Path
) -> None:
    """With both parameters, a deployed provider manages the example's configurations, and its policy allows no more."""
    del plain  # for its bucket
    role, regions = "arn:aws:iam::210987654321:role/image-distribution", ["us-east-1", "eu-west-1"]
    given = f"CodeBucket={BUCKET} ServiceTokenExport=wide-ServiceToken Regions=eu-west-1 AssumableRoleArns={role}"
    template = f"--template-file {packaged.folder}/template.yaml --capabilities CAPABILITY_IAM"
    shell(f"aws cloudformation deploy {template} --stack-name wide --parameter-overrides {given}")
    example = EXAMPLES / "cloudformation" / "two-regions-two-accounts.yaml"
    token = {f"{PROVIDER_STACK}-ServiceToken": "wide-ServiceToken"}
    before = {*service.configurations}
    assert account.create("two", edited(example, tmp_path, token)) == "CREATE_COMPLETE"
    assert {tuple(one.split(":")[3:5]) for one in {*service.configurations} - before} == {
        ("us-east-1", "123456789012"),
        ("eu-west-1", "123456789012"),
        ("eu-west-1", "210987654321"),
    }
    name = account.outputs("wide")["RoleArn"].rpartition("/")[2]
    get_policy = f"aws iam get-role-policy --role-name {name} --policy-name distribution-configurations"
    statements = {one["Sid"]: one for one in json.loads(shell(get_policy))["PolicyDocument"]["Statement"]}
    for sid in ("Configurations", "Lists"):
        assert statements[sid]["Condition"] == {"StringEquals": {"aws:RequestedRegion": regions}}
    assert statements["Roles"]["Resource"] == [role]
    assert [account.delete(stack) for stack in ("two", "wide")] == ["DELETE_COMPLETE"] * 2
    assert {*service.configurations} == before


def test_accounts_come_from_ssm(service: Emulator, stack: Callable[..., str], shell: Cli) -> None:
    """Accounts from an SSM list parameter and from a dynamic reference reach the configuration."""
    put = "aws ssm put-parameter --overwrite --name /images/accounts"
    shell(f"{put}/teams --type StringList --value 210987654321,012345678901")
    shell(f"{put}/recovery --type String --value 098765432109")
    assert stack("from-ssm", EXAMPLES / "cloudformation" / "accounts-from-ssm.yaml") == "CREATE_COMPLETE"
    permissions = [
        distribution["amiDistributionConfiguration"]["launchPermission"]["userIds"]
        for distribution in service.configurations[f"{ARN}team-images"]["distributions"]
    ]
    assert permissions == [["210987654321", "012345678901"], ["098765432109"]]


def test_an_imported_configuration_cannot_be_deleted(
    account: Account, service: Emulator, stack: Callable[..., str], tmp_path: Path
) -> None:
    """While another stack imports a configuration's ARN, the configuration's stack cannot be deleted."""
    assert stack("exporting", EXAMPLES / "cloudformation" / "exported-configuration.yaml") == "CREATE_COMPLETE"
    importing = (EXAMPLES / "cloudformation" / "importing" / "pipeline.yaml").read_text(encoding="utf-8")
    imported = re.search("DistributionConfigurationArn: (.*)", importing)
    assert imported
    replacement = tmp_path / "importing.yaml"
    properties = f"{{Type: String, Value: {imported[1]}}}"
    replacement.write_text(f"Resources: {{Pipeline: {{Type: 'AWS::SSM::Parameter', Properties: {properties}}}}}\n")
    assert stack("importing", replacement) == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="shared-distribution-arn"):
        account.delete("exporting")
    assert f"{ARN}shared-distribution" in service.configurations


def test_the_importing_template_lints_clean(shell: Cli) -> None:
    """cfn-lint reports no problems in the template of the pipeline that imports a configuration."""
    assert shell("cfn-lint examples/cloudformation/importing/pipeline.yaml") == ""


def test_it_can_be_published(
    application: Application, plain: str, variables: dict[str, str], shell: Cli, tmp_path: Path
) -> None:
    """`sam publish` sends all that the Serverless Application Repository requires, including license and readme."""
    del plain  # for its bucket
    sent: list[tuple[str, str, dict[str, Any]]] = []

    def repository(method: str, target: str, body: bytes, headers: Message) -> Reply:
        del headers
        sent.append((method, target, json.loads(body)))
        answer = {"applicationId": "arn:aws:serverlessrepo:us-east-1:123456789012:applications/it"}
        return Reply(201, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    packed = tmp_path / "packaged.yaml"
    shell(f"sam package --template {application.template} --s3-bucket {BUCKET} --output-template-file {packed}")
    server = LoopbackServer(repository)
    try:
        reached = {**variables, "AWS_ENDPOINT_URL_SERVERLESSAPPLICATIONREPOSITORY": server.url}
        run([str(BIN / "sam"), "publish", "--template", str(packed), "--region", "us-east-1"], reached)
    finally:
        server.close()
    ((method, target, application_sent),) = sent
    assert (method, target) == ("POST", "/applications")
    assert application_sent["name"] == "image-builder-distribution-provider"
    assert application_sent["spdxLicenseId"] == "Apache-2.0"
    assert application_sent.keys() >= {"author", "description", "labels", "semanticVersion", "templateBody"}
    assert application_sent["licenseUrl"].startswith(f"s3://{BUCKET}/")
    assert application_sent["readmeUrl"].startswith(f"s3://{BUCKET}/")
