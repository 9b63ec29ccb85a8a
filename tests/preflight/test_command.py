"""`preflight`: what people and programs read, and how it ends."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sarif_kit import validation_errors

from provider.emulator.emulator import Emulator
from provider.preflight.checks import CHECKS
from provider.preflight.interface import action_of
from tests.cli.commands import Ended, command, process
from tests.cli.plans import TOKEN
from tests.preflight.account import ACCOUNT, Account, document, session
from tests.preflight.cases import OTHER, allow, key, provider_role

TEMPLATE = f"""Parameters:
  Key: {{Type: String, Default: alias/images}}
Resources:
  Golden:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: {TOKEN}
      Name: golden
      Distributions:
        - Region: eu-west-1
          AmiDistributionConfiguration:
            Name: "golden {{{{ imagebuilder:buildDate }}}}"
            KmsKeyId: !Ref Key
"""
PROPERTIES = """name: golden
distributions:
  - region: eu-west-1
    containerDistributionConfiguration:
      containerTags: [latest]
      targetRepository: {service: ECR, repositoryName: web}
"""
PATH = "Distributions[0].AmiDistributionConfiguration.KmsKeyId"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "stack.yaml"
    written.write_text(TEMPLATE, "utf-8")
    return written


def images_key(account: Account) -> str:
    """The ARN of a key with the alias in the template."""
    arn = key(account)
    account.call("kms", "create_alias", AliasName="alias/images", TargetKeyId=arn)
    return arn


def checked(*arguments: str | Path, status: int, stdin: str = "") -> Any:
    ended = command("preflight", *arguments, "--output", "json", stdin=stdin)
    assert ended.status == status, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


def statuses(found: Any) -> dict[str, str]:
    return {one["check"]: one["status"] for one in found["results"]}


def test_a_template_that_works(account: Account, file: Path) -> None:
    """If everything is there, all checks pass, and the exit status is 0."""
    images_key(account)
    found = checked(file, status=0)
    assert (found["region"], found["account"], found["passed"]) == ("us-east-1", ACCOUNT, 4)
    assert set(statuses(found).values()) == {"pass"}
    assert command("preflight", "--strict", file).status == 0


def test_a_template_that_fails(account: Account, file: Path) -> None:
    """A failure has the path in the author's spelling, its position, and a remediation. The exit status is 1."""
    found = checked(file, status=1)
    assert [found[name] for name in ("passed", "warnings", "failures", "notCheckable")] == [0, 0, 1, 0]
    assert found["results"] == [
        {
            "file": str(file),
            "line": 13,
            "column": 13,
            "resource": "Golden",
            "region": "us-east-1",
            "account": ACCOUNT,
            "check": "kms-key-exists",
            "status": "failure",
            "path": PATH,
            "message": "the key does not exist in eu-west-1",
            "remediation": "Give a key of the distribution's Region.",
            "action": None,
        }
    ]


def test_people_see_a_table(account: Account, file: Path) -> None:
    """For people, there is a line for each check, the remediation below it, and a summary."""
    ended = command("preflight", file)
    assert ended.status == 1
    assert ended.stdout.splitlines() == [
        "Golden",
        f"failure        kms-key-exists  {PATH}: the key does not exist in eu-west-1",
        "                               To fix: Give a key of the distribution's Region.",
        "",
        "0 passed, 0 warnings, 1 failure, 0 not checkable.",
    ]
    assert f"account {ACCOUNT}" in ended.stderr


def test_a_missing_permission(account: Account, file: Path) -> None:
    """A missing permission is reported by its IAM action. It is fatal only with --strict."""
    images_key(account)
    account.refuse("kms:GetKeyPolicy", "AccessDeniedException")
    found = checked(file, status=0)
    (result,) = (one for one in found["results"] if one["status"] != "pass")
    assert (result["status"], result["action"]) == ("not-checkable", "kms:GetKeyPolicy")
    assert command("preflight", "--strict", file).status == 1


def test_a_log_for_code_scanning(account: Account, file: Path) -> None:
    """The SARIF log is valid, has a rule for each check, and a result for everything that did not pass."""
    images_key(account)
    account.refuse("kms:GetKeyPolicy", "AccessDeniedException")
    ended = command("preflight", file, "--output", "sarif")
    log = json.loads(ended.stdout)
    assert (ended.status, validation_errors(log)) == (0, [])
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [check.id for check in CHECKS]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("kms-key-allows-service", "note")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 13


def test_properties_alone(account: Account) -> None:
    """The properties of a single resource are checked as well; paths have the names that the file has."""
    found = checked("-", status=1, stdin=PROPERTIES)
    (result,) = found["results"]
    assert (result["file"], result["line"], result["resource"]) == ("stdin", 6, "")
    assert result["path"] == "distributions[0].containerDistributionConfiguration.targetRepository.repositoryName"


def test_a_live_configuration(account: Account, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument can be the ARN of a live configuration. Pipelines are found by it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.url)
    distribution = {"region": "eu-west-1", "ssmParameterConfigurations": [{"parameterName": "/web/ami"}]}
    arn = emulator.seed(name="golden", distributions=[distribution])
    found = checked(arn, status=0)
    (result,) = found["results"]
    assert result["path"] == "Distributions[0].SsmParameterConfigurations[0].ParameterName"
    assert result["message"] == "no pipeline uses the configuration yet"
    emulator.seed_pipeline("nightly", arn)
    assert "pipeline nightly: there is no execution role" in checked(arn, status=1)["results"][0]["message"]


def test_a_configuration_that_does_not_exist(emulator: Emulator) -> None:
    """An ARN that is not found ends with status 1."""
    ended = command("preflight", f"arn:aws:imagebuilder:us-east-1:{ACCOUNT}:distribution-configuration/nowhere")
    assert (ended.status, ended.stdout) == (1, "")
    assert "was not found" in ended.stderr


@pytest.mark.parametrize("target", ["arn:aws:s3:::base", "no such file.yaml"])
def test_a_wrong_argument(target: str) -> None:
    """What is neither a configuration's ARN nor a file is a mistake."""
    assert command("preflight", target).status == 2


def test_values_that_only_a_deployment_knows(account: Account, file: Path) -> None:
    """A placeholder is never checked as if it were the value: it is not checkable, until its value is given."""
    images_key(account)
    reference = "{{resolve:ssm:/keys/images}}"
    file.write_text(TEMPLATE.replace("!Ref Key", f"'{reference}'"), "utf-8")
    found = checked(file, status=0)
    assert set(statuses(found).values()) == {"not-checkable"}
    assert not [name for name in account.requests if name.startswith("kms:Describe")]
    resolved = checked(file, "--resolve", "ssm:/keys/images=alias/images", status=0)
    assert set(statuses(resolved).values()) == {"pass"}


def test_the_name_of_the_stack(account: Account, file: Path) -> None:
    """The stack's name is unknown without --stack-name."""
    images_key(account)
    file.write_text(TEMPLATE.replace("!Ref Key", "!Sub alias/${AWS::StackName}"), "utf-8")
    assert set(statuses(checked(file, status=0)).values()) == {"not-checkable"}
    assert set(statuses(checked(file, "--stack-name", "images", status=0)).values()) == {"pass"}


def test_a_name_that_only_a_deployment_knows(account: Account, file: Path) -> None:
    """If the configuration's name is unknown, so are its pipelines."""
    image = TEMPLATE.partition("          AmiDistributionConfiguration:")[0].replace("golden", "!Ref AWS::StackName")
    file.write_text(image + "          SsmParameterConfigurations: [{ParameterName: /web/ami}]\n", "utf-8")
    (result,) = checked(file, status=0)["results"]
    assert result["message"] == "DistributionConfigurationArn: the value is known only at deployment"


def test_a_value_that_is_not_used(account: Account, file: Path) -> None:
    """An export that is given but not imported is noted."""
    images_key(account)
    ended = command("preflight", file, "--import", "keys=alias/images")
    assert (ended.status, "--import keys has no effect" in ended.stderr) == (0, True)


def test_a_parameter(account: Account, file: Path) -> None:
    """The value of a parameter is that of --parameter, else its default."""
    images_key(account)
    assert statuses(checked(file, status=0))["kms-key-exists"] == "pass"
    assert statuses(checked(file, "-p", "Key=alias/nowhere", status=1))["kms-key-exists"] == "failure"


def test_an_unknown_neighbor(account: Account, file: Path) -> None:
    """A check that needs another value that only a deployment knows is not checkable; the others run."""
    images_key(account)
    unknown = "!Ref Key\n            TargetAccountIds: ['{{resolve:ssm:/accounts/web}}']"
    file.write_text(TEMPLATE.replace("!Ref Key", unknown), "utf-8")
    found = statuses(checked(file, status=0))
    assert (found["kms-key-exists"], found["kms-key-allows-target-accounts"]) == ("pass", "not-checkable")
    assert found["target-account-role"] == "not-checkable"


def test_a_resource_that_depends_on_another(account: Account, file: Path) -> None:
    """A resource can refer to another one. If that one's ARN is unknown, it is not checked, which fails --strict."""
    images_key(account)
    second = TEMPLATE.partition("Resources:\n")[2].replace("Golden:", "Second:").replace("Name: golden", "Name: second")
    both = TEMPLATE + second.replace("!Ref Key", "!Ref Key\n            Description: !Ref Golden")
    file.write_text(both, "utf-8")
    assert command("preflight", "--strict", file).status == 0
    file.write_text(both.replace("Name: golden", "Name: !Ref AWS::StackName"), "utf-8")
    ended = command("preflight", file)
    assert (ended.status, "Second is not checked" in ended.stderr) == (0, True)
    assert command("preflight", "--strict", file).status == 1


def test_properties_with_errors(account: Account, file: Path) -> None:
    """If properties have errors, they are reported instead: the service would reject them."""
    file.write_text(TEMPLATE.replace("KmsKeyId", "KmsKey"), "utf-8")
    ended = command("preflight", file)
    assert (ended.status, ended.stdout) == (1, "")
    assert "Golden: Distributions[0].AmiDistributionConfiguration.KmsKey:" in ended.stderr


def test_a_template_without_resources(account: Account, file: Path) -> None:
    """A template without a resource of the provider is a mistake."""
    file.write_text("Resources: {A: {Type: AWS::S3::Bucket}}", "utf-8")
    ended = command("preflight", file)
    assert ended.status == 2
    assert "so there is nothing to check" in ended.stderr


def test_nothing_to_check(account: Account, file: Path) -> None:
    """If no check applies, the summary says so."""
    file.write_text(TEMPLATE.replace("KmsKeyId: !Ref Key", "Description: x"), "utf-8")
    ended = command("preflight", file)
    assert (ended.status, "No checks apply" in ended.stdout) == (0, True)


def test_only_reads(account: Account, file: Path) -> None:
    """No call changes anything, and no call is made twice."""
    images_key(account)
    text = TEMPLATE.replace("!Ref Key", f"!Ref Key\n            TargetAccountIds: ['{OTHER}', '{ACCOUNT}']")
    file.write_text(text, "utf-8")
    account.requests.clear()
    checked(file, status=1)
    declared = {operation for check in CHECKS for operation in check.reads}
    assert set(account.requests) <= declared | {"sts:GetCallerIdentity"}
    assert all(action_of(name).partition(":")[2].startswith(("Get", "Describe", "Assume")) for name in account.requests)
    assert sorted(set(account.requests)) == sorted(account.requests)


def test_a_process(account: Account, file: Path) -> None:
    """As a process, it prints no warnings and needs nothing but the environment."""
    images_key(account)
    ended: Ended = process("preflight", file, **account.environment())
    assert ended.status == 0, ended.stderr
    assert ended.stderr.splitlines() == [f"Checking what account {ACCOUNT} needs to distribute images ..."]


def test_without_credentials() -> None:
    """Without credentials, the command says what to set."""
    nothing = {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
    }
    ended = process("preflight", "-", stdin=PROPERTIES, **nothing)
    assert ended.status == 2
    assert "no credentials found" in ended.stderr


# another Region or account

ROLE = f"arn:aws:iam::{OTHER}:role/images"


def placed(file: Path, **place: str) -> Path:
    lines = "".join(f"\n      {name}: {value}" for name, value in place.items())
    file.write_text(TEMPLATE.replace("Name: golden\n", f"Name: golden{lines}\n", 1), "utf-8")
    return file


def others_key(account: Account) -> None:
    """A key with the alias in the template, in the other account."""
    keys = account.call("sts", "assume_role", RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    kms: Any = session().create_client(
        "kms",
        "eu-west-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    with closing(kms):
        arn = kms.create_key(Policy=document(allow(["kms:*"], OTHER)))["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/images", TargetKeyId=arn)


def test_the_account_of_a_role(account: Account, file: Path) -> None:
    """With RoleArn, the checks run in the role's account, with the role; the caller's account has no such key."""
    placed(file, RoleArn=ROLE)
    provider_role(account, covered=ROLE)
    found = checked(file, status=1)
    assert statuses(found)["kms-key-exists"] == "failure"
    others_key(account)
    account.requests.clear()
    found = checked(file, status=1)
    assert statuses(found)["kms-key-exists"] == "pass"
    assert {(one["region"], one["account"]) for one in found["results"]} == {("us-east-1", OTHER)}
    assert account.requests.count("sts:AssumeRole") == 1
    # The role does not exist in the other account, although moto lets it be assumed.
    assert statuses(found)["provider-role-assumable"] == "failure"
    assert f"Golden (account {OTHER}, us-east-1)" in command("preflight", file).stdout


def test_the_region_of_a_resource(account: Account, file: Path) -> None:
    """With Region, the configuration's own Region is that one; the distributions keep theirs."""
    images_key(account)
    found = checked(placed(file, Region="eu-central-1"), status=0)
    assert {(one["region"], one["account"]) for one in found["results"]} == {("eu-central-1", ACCOUNT)}
    assert statuses(found)["kms-key-exists"] == "pass"


def test_a_role_that_may_not_be_assumed(account: Account, file: Path) -> None:
    """If the caller may not assume the role, the checks in its account are not checkable, and name the action."""
    account.refuse("sts:AssumeRole", "AccessDenied")
    provider_role(account, covered=ROLE)
    found = checked(placed(file, RoleArn=ROLE), status=0)
    assert {(one["status"], one["action"]) for one in found["results"]} == {("not-checkable", "sts:AssumeRole")}


def test_a_location_that_only_a_deployment_knows(account: Account, file: Path) -> None:
    """A resource whose Region is known only at deployment is not checked, and a note says so."""
    ended = command("preflight", placed(file, Region="!ImportValue place"))
    assert "Golden is not checked: its Region or role is known only at deployment" in ended.stderr
    assert command("preflight", "--strict", file).status == 1


def test_sources_are_checked_if_their_accounts_are_given(account: Account, tmp_path: Path) -> None:
    """The accounts of a source are unknown unless --resolve gives them; their results are at the list."""
    source = "ou-ab12-11111111"
    ami = {"name": "a {{ imagebuilder:buildDate }}", "targetAccountIds": [{"organizationalUnit": source}]}
    file = tmp_path / "properties.json"
    properties = {"name": "golden", "distributions": [{"region": "eu-west-1", "amiDistributionConfiguration": ami}]}
    file.write_text(json.dumps(properties), "utf-8")
    (unknown,) = checked(file, status=0)["results"]
    assert (unknown["check"], unknown["status"]) == ("target-account-role", "not-checkable")
    found = checked(file, "--resolve", f"{source}={OTHER},333333333333", status=0)["results"]
    assert [one["check"] for one in found] == ["target-account-role"] * 2
    assert {one["path"] for one in found} == {"distributions[0].amiDistributionConfiguration.targetAccountIds"}
    assert account.requests
