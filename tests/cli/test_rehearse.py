"""`rehearse`, run as a user runs it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import EXAMPLES, ROOT, Ended, command, process

OURS = "Custom::ImageBuilderDistributionConfiguration"
ARN = "arn:aws:imagebuilder:eu-west-1:210987654321:distribution-configuration/web"

OWN = """\
Parameters:
  Text: {Type: String, Default: first}
Resources:
  Images:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:provider
      Name: images
      Description: !Ref Text
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration: {Name: "images {{ imagebuilder:buildDate }}"}
Outputs:
  Arn: {Value: !GetAtt Images.Arn}
"""
ADOPT = OWN.replace("Name: images\n", f"DistributionConfigurationArn: {ARN}\n")

Rehearse = Callable[..., Ended]


@pytest.fixture
def rehearse(tmp_path: Path) -> Rehearse:
    """Writes templates (texts) to files and rehearses them; a Path is used as it is."""

    def run(*templates: str | Path, options: tuple[str | Path, ...] = (), **environment: str) -> Ended:
        files = []
        for index, template in enumerate(templates):
            if isinstance(template, str):
                file = tmp_path / f"stack-{index}.yaml"
                file.write_text(template, "utf-8")
                template = file
            files.append(template)
        if environment:
            return process("rehearse", *files, *options, **environment)
        return command("rehearse", *files, *options)

    return run


def test_demo_runs_the_whole_lifecycle() -> None:
    """The demo's stack is created, updated, and deleted, with events, differences, and the outcome."""
    ended = process("rehearse", EXAMPLES / "golden-image.yaml", EXAMPLES / "golden-image-exported.yaml")
    assert ended.status == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    shown = ended.stdout
    for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "SKIPPED"):
        assert status in shown
    assert '+ Distributions["us-east-1"].S3ExportConfiguration:' in shown
    assert '~ Tags["Team"]: "platform" -> "images"' in shown
    assert shown.rstrip().endswith("Rehearsal succeeded: the stack was created, updated, and deleted.")


def test_output_without_a_terminal_is_plain(rehearse: Rehearse) -> None:
    """If standard output is not a terminal, it has no color and no log lines."""
    shown = rehearse(OWN, PYTHONUNBUFFERED="1").stdout
    assert "\x1b" not in shown
    assert '"level"' not in shown


def test_logs_on_request(rehearse: Rehearse) -> None:
    """--logs shows the function's JSON lines on standard error, and standard output is unchanged."""
    ended = rehearse(OWN, options=("--logs",), LOG_LEVEL="INFO")
    assert any(json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{"))
    assert not any(line.startswith("{") for line in ended.stdout.splitlines())


def test_parameters_reach_the_templates_that_declare_them(rehearse: Rehearse) -> None:
    """--parameter sets a parameter in each template that declares it, and is ignored by the others."""
    ended = rehearse(OWN, OWN.replace("Text", "Other"), options=("-p", "Text=a=b", "-p", "Other=c"))
    assert ended.status == 0, ended.stdout
    assert '~ Description: "a=b" -> "c"' in ended.stdout


def test_failed_creation(rehearse: Rehearse) -> None:
    """A creation that is rolled back ends with status 1, with the reason in the events, and a short last line."""
    ended = rehearse(OWN.replace("Region: us-east-1", "Region: us-east-1\n          Color: red"))
    assert ended.status == 1
    assert "ROLLBACK_COMPLETE" in ended.stdout
    assert "Distributions[0].Color" in ended.stdout
    verdict = ended.stdout.rstrip().splitlines()[-1]
    assert verdict == ("Rehearsal failed: the creation from stack-0.yaml ended in ROLLBACK_COMPLETE (Images failed)")


def test_failed_update(rehearse: Rehearse) -> None:
    """An update that is rolled back ends with status 1."""
    ended = rehearse(OWN, OWN.replace("Region: us-east-1", "Region: us-east-1\n          Color: red"))
    assert ended.status == 1
    assert "UPDATE_ROLLBACK_COMPLETE" in ended.stdout.rstrip().splitlines()[-1]


def test_replacement(rehearse: Rehearse) -> None:
    """Another name replaces the configuration: one is created, and the old one is deleted in the cleanup."""
    ended = rehearse(OWN, OWN.replace("Name: images\n", "Name: pictures\n"))
    assert ended.status == 0, ended.stdout
    assert "distribution-configuration/pictures (created)" in ended.stdout
    assert "distribution-configuration/images (deleted)" in ended.stdout


def test_adopted_configuration_gets_a_placeholder(rehearse: Rehearse) -> None:
    """An adopted configuration gets placeholder content in the Region of its ARN, with a message, and is retained."""
    ended = rehearse(ADOPT)
    assert ended.status == 0, ended.stdout
    assert "in eu-west-1, account 210987654321 (from stack-0.yaml)" in ended.stdout
    assert f"{ARN} is adopted, but its content is unknown" in ended.stdout
    assert f"~ {ARN} (changed)" in ended.stdout
    assert f"- {ARN}" not in ended.stdout


def test_existing_configuration(rehearse: Rehearse, tmp_path: Path) -> None:
    """--existing sets the content of an adopted configuration, as printed by the AWS CLI."""
    live = tmp_path / "live.json"
    configuration = {"arn": ARN, "name": "web", "description": "by hand", "distributions": [], "tags": {"a": "b"}}
    live.write_text(json.dumps({"requestId": "x", "distributionConfiguration": configuration}), "utf-8")
    ended = rehearse(ADOPT, options=("--existing", live))
    assert ended.status == 0, ended.stdout
    assert "placeholder content" not in ended.stdout
    assert '~ Description: "by hand" -> "first"' in ended.stdout


@pytest.mark.parametrize("where", ["OnDelete: Delete", "onDelete: Delete"])
def test_adopted_configuration_deleted_on_purpose(rehearse: Rehearse, where: str) -> None:
    """An adopted configuration that OnDelete deletes is not a problem."""
    ended = rehearse(ADOPT.replace("Description:", f"{where}\n      Description:"))
    assert ended.status == 0, ended.stdout
    assert f"- {ARN} (deleted)" in ended.stdout


@pytest.mark.parametrize("how", ["OnDelete: Retain", "DeletionPolicy: Retain"])
def test_owned_configuration_kept_on_purpose(rehearse: Rehearse, how: str) -> None:
    """An owned configuration that OnDelete or DeletionPolicy retains is not a problem."""
    kept = (
        OWN.replace("Description:", f"{how}\n      Description:")
        if how.startswith("OnDelete")
        else OWN.replace("    Properties:", f"    {how}\n    Properties:")
    )
    ended = rehearse(kept)
    assert ended.status == 0, ended.stdout
    assert "(deleted)" not in ended.stdout


def test_environment_of_the_user_is_not_used(rehearse: Rehearse, tmp_path: Path) -> None:
    """The user's profile, proxy, endpoint, CA bundle, and ledger do not affect a rehearsal."""
    ended = rehearse(
        OWN,
        AWS_PROFILE="nobody",
        AWS_CONFIG_FILE=str(tmp_path / "none"),
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_CA_BUNDLE=str(tmp_path / "none.pem"),
        HTTP_PROXY="http://127.0.0.1:9",
        HTTPS_PROXY="http://127.0.0.1:9",
        LEDGER_TABLE_NAME="production",
    )
    assert ended.status == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("template", "options", "message"),
    [
        ("Resources:\n  A: {Type: [", (), "stack-0.yaml: is not YAML: line 2"),
        ("a: b", (), "has no Resources section"),
        ("Resources: {A: {Type: AWS::S3::Bucket}}", (), "so there is nothing to rehearse"),
        (OWN.replace("!Ref Text", "!Ref Txt"), (), "Resources.Images.Properties.Description.Ref: there is no"),
        (OWN.replace(", Default: first", ""), (), "needs a value for Text: --parameter Text=..."),
        (OWN, ("-p", "Txt=a"), "no template declares the parameter Txt; declared parameters: Text"),
        (OWN, ("-p", "Text"), "must have the form KEY=VALUE"),
        (OWN, ("-p", "Text=a", "-p", "Text=b"), "Text is specified twice, as 'a' and 'b'"),
        (OWN.replace("Configuration", "Config"), (), f"'{OURS[:-7]}'; it should be {OURS}"),
        (OWN.replace("arn:aws:lambda", "arn:aws:iam"), (), "Resources.Images.Properties.ServiceToken: must be the ARN"),
        (OWN, ("--import", "a"), "must have the form NAME=VALUE"),
        (OWN, ("--resolve", "ssm:/a=b", "--resolve", "ssm:/a=c"), "ssm:/a is specified twice"),
        (
            OWN.replace("Name: images", "Name: !!int images"),
            (),
            "is not YAML: line 8, column 13: 'images' is not an integer",
        ),
        (OWN.replace("Name: images", "Name: im\0ages"), (), "line 8, column 15: a control character (#x00)"),
        (OWN, ("--region", "Mars"), "is not a Region"),
        (OWN, ("--region", "zz-mars-1"), "zz-mars-1"),
        (OWN, ("--account", "1"), "12 digits"),
        (OWN, ("--stack-name", "a b"), "letters, digits, and hyphens"),
        (OWN, ("--existing", ROOT / "pyproject.toml"), "is not JSON"),
        (OWN, ("--existing", ROOT / "events" / "create-own.json"), "is not the output of `aws imagebuilder"),
        (ROOT / "no-such.yaml", (), "does not exist"),
        (ROOT / "examples" / "cli" / "update-distribution-configuration.json", (), "no Resources section"),
    ],
)
def test_user_errors(rehearse: Rehearse, template: str | Path, options: tuple[str | Path, ...], message: str) -> None:
    """A mistake of the user ends with status 2 and a message on standard error, without a traceback."""
    ended = rehearse(template, options=options)
    assert ended.status == 2, ended.stdout
    assert message in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_second_template_is_checked_before_the_first_is_deployed(rehearse: Rehearse) -> None:
    """An error in a later template is reported before anything is deployed."""
    ended = rehearse(OWN, OWN.replace("!Ref Text", "!Ref Txt"))
    assert ended.status == 2
    assert "CREATE_IN_PROGRESS" not in ended.stdout


@pytest.mark.parametrize(
    "kind", ["AWS::CloudFormation::CustomResource", "AWS::ImageBuilder::DistributionConfiguration"]
)
def test_type_of_a_resource_cannot_change(rehearse: Rehearse, kind: str) -> None:
    """CloudFormation rejects an update that changes a resource's type; this is reported before anything is deployed."""
    for templates in ((OWN, OWN.replace(OURS, kind)), (OWN.replace(OURS, kind), OWN)):
        without_output = [template.partition("Outputs:")[0] for template in templates]
        ended = rehearse(*without_output)
        assert (ended.status, ended.stdout) == (2, "")
        assert "stack-1.yaml: Update of resource type is not permitted." in ended.stderr
        assert "[Images]" in ended.stderr


def test_service_token_cannot_change(rehearse: Rehearse) -> None:
    """CloudFormation fails an update that changes a ServiceToken, and sends nothing for that resource."""
    ended = rehearse(OWN, OWN.replace(":function:provider", ":function:provider:live"))
    assert ended.status == 1
    update = ended.stdout.partition("\nUpdate ")[2]
    assert "Modifying service token is not allowed." in update
    assert not re.search(r"Images +UPDATE_IN_PROGRESS", update)
    assert "No configuration changed." in update
    assert update.rstrip().endswith("ended in UPDATE_ROLLBACK_COMPLETE (Images failed)")


def test_resource_added_and_removed(rehearse: Rehearse) -> None:
    """At least one template must have a resource of this provider: an update may add the first or remove the last."""
    without = "Resources: {Topic: {Type: AWS::SNS::Topic}}"
    ended = rehearse(without, OWN, without)
    assert ended.status == 0, ended.stdout + ended.stderr
    removal = ended.stdout.rpartition("\nUpdate ")[2]
    assert "distribution-configuration/images (deleted)" in removal


FOREIGN = """\
  Other:
    Type: AWS::CloudFormation::CustomResource
    Properties:
      ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:another
      Bucket: b
"""


def test_resources_of_other_functions_are_skipped(rehearse: Rehearse) -> None:
    """A custom resource with another function's properties is skipped, with a notice."""
    generic = OWN.replace(OURS, "AWS::CloudFormation::CustomResource")
    ended = rehearse(generic.replace("Outputs:\n", f"{FOREIGN}Outputs:\n  Other: {{Value: !Ref Other}}\n"))
    assert ended.status == 0, ended.stdout
    assert "CustomResource belongs to another function; its Ref returns other" in " ".join(ended.stdout.split())
    alone = rehearse(f"Resources:\n{FOREIGN}")
    assert alone.status == 2
    assert "nothing to rehearse; by its properties, Other belongs to another function" in alone.stderr


ELSEWHERE = """\
Parameters:
  Account: {Type: "AWS::SSM::Parameter::Value<String>", Default: /accounts/stage}
  Groups: {Type: "AWS::SSM::Parameter::Value<List<String>>", Default: /groups}
Conditions: {Always: !Equals [a, a]}
Resources:
  Member: {Type: AWS::Organizations::Account}
  Unit: {Type: AWS::Organizations::OrganizationalUnit}
  Images:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: !ImportValue provider-ServiceToken
      DistributionConfigurationArn: !ImportValue configuration
      OnDelete: !ImportValue fate
      Description: !Sub "${Member} of ${Unit.Arn}"
      Tags: {Team: !ImportValue team}
      Distributions:
        - Region: !ImportValue first-region
          AmiDistributionConfiguration:
            Name: "{{resolve:ssm:/ami/name}}"
            TargetAccountIds:
              - "{{resolve:ssm:/accounts/production:3}}"
              - !Ref Account
              - !Ref Member
              - !Sub "${Account}"
              - !Sub "{{resolve:ssm:/accounts/${AWS::Region}}}"
              - !If [Always, !Select [0, !Split [",", !ImportValue accounts]], !Ref AWS::NoValue]
            LaunchPermission: {UserGroups: !Ref Groups, OrganizationalUnitArns: [!GetAtt Unit.Arn]}
          LicenseConfigurationArns: !Split [",", !ImportValue licenses]
        - Region: !ImportValue second-region
          launchTemplateConfigurations:
            - {launchTemplateId: !ImportValue template, setDefaultVersion: !ImportValue default}
          S3ExportConfiguration: {RoleName: r, DiskImageFormat: !ImportValue format, S3Bucket: b}
          FastLaunchConfigurations:
            - {Enabled: !ImportValue fast, MaxParallelLaunches: !ImportValue launches}
"""
"""Values from outside the template, each in a property that restricts its value."""


def test_placeholders_are_valid(rehearse: Rehearse) -> None:
    """Placeholders are valid for their properties, so no rehearsal fails because of one."""
    ended = rehearse(ELSEWHERE, options=("--region", "eu-west-1"))
    assert ended.status == 0, ended.stdout
    shown = " ".join(ended.stdout.split())
    assert "is adopted, but its content is unknown" in shown
    assert re.search(r"the export accounts of another stack is assumed to be '[0-9]{12}'", shown)
    assert "the export team of another stack is assumed to be 'team'" in shown
    accounts = re.findall(r'- "([0-9]{12})"', ended.stdout.partition("TargetAccountIds")[2])
    assert len(set(accounts)) == 5


def test_external_values_can_be_given(rehearse: Rehearse) -> None:
    """--import and --resolve set the values of exports and dynamic references, which then have no placeholders."""
    part = OWN.replace("!Ref Text", '!Sub ["${T}/{{resolve:ssm:/team:1}}", {T: !ImportValue stage}]')
    given = ("--import", "stage=production", "--resolve", "ssm:/team:1=a=b")
    ended = rehearse(part, options=given)
    assert ended.status == 0, ended.stdout + ended.stderr
    assert 'Description: "production/a=b"' in ended.stdout
    assert "assumed to be" not in ended.stdout
    assert "has no effect" not in ended.stdout
    wrong = rehearse(ELSEWHERE, options=("--import", "accounts=12345"))
    assert wrong.status == 1
    assert "12345" in wrong.stdout


def test_unused_values(rehearse: Rehearse) -> None:
    """Values of --import and --resolve that are not used are named, and the rehearsal continues."""
    ended = rehearse(ELSEWHERE, options=("--import", "acounts=123456789012", "--resolve", "ssm:accounts=x"))
    assert ended.status == 0, ended.stdout + ended.stderr
    assert "--import acounts has no effect: the templates have no such export." in ended.stdout
    assert (
        "--resolve ssm:accounts has no effect: the templates have no such dynamic reference or account source."
        in ended.stdout
    )


SKIPPED = """\
  Pipeline:
    Type: AWS::ImageBuilder::ImagePipeline
    Properties: {Name: web, DistributionConfigurationArn: %s}
Outputs:"""


@pytest.mark.parametrize("value", ["!GetAtt Images.ARN", "!Sub '${Images.ARN}'", "{'Fn::GetAtt': [Images, ARN]}"])
def test_unknown_attributes_are_rejected_everywhere(rehearse: Rehearse, value: str) -> None:
    """An unknown attribute of this provider's resources is rejected, also in a resource that is skipped."""
    ended = rehearse(OWN.replace("Outputs:", SKIPPED % value))
    assert (ended.status, ended.stdout) == (2, "")
    assert "Resources.Pipeline.Properties.DistributionConfigurationArn" in ended.stderr
    assert "Images has no attribute ARN; did you mean Arn?" in ended.stderr
    assert rehearse(OWN.replace("Outputs:", SKIPPED % value.replace("ARN", "Arn"))).status == 0


@pytest.mark.parametrize("environment", [{}, {"LOG_LEVEL": "ERROR"}])
def test_warnings_of_the_function_are_shown(rehearse: Rehearse, environment: dict[str, str]) -> None:
    """The events show the function's warnings, whatever the log level is; a valid template has none."""
    misspelled = OWN.replace("Region: us-east-1", "Region: us-wets-2")
    ended = rehearse(misspelled, options=("--logs",) if environment else (), **environment)
    assert ended.status == 0
    shown = " ".join(ended.stdout.split())
    assert 'Images WARNING Distributions[0].Region: "us-wets-2" is not a known Region; did you mean us-west-2?' in shown
    assert "WARNING" not in rehearse(OWN).stdout


def test_warnings_about_placeholders_are_not_shown(rehearse: Rehearse) -> None:
    """A warning about a placeholder is not shown, because the real value is unknown."""
    template = OWN.replace('buildDate }}"}', "buildDate }}\", TargetAccountIds: ['444455556666']}")
    parameters = "          SsmParameterConfigurations: [{AmiAccountId: %s, ParameterName: /imagebuilder/a}]\nOutputs:"
    for value in ("!ImportValue account", "'{{resolve:ssm:/account}}'"):
        ended = rehearse(template.replace("Outputs:", parameters % value))
        assert ended.status == 0, ended.stdout + ended.stderr
        assert "WARNING" not in ended.stdout
    known = rehearse(template.replace("Outputs:", parameters % "'111122223333'"))
    assert "WARNING" in known.stdout


def test_warnings_of_an_update_are_shown(rehearse: Rehearse) -> None:
    """The events show the warnings about the live configuration, too."""
    ended = rehearse(ADOPT, OWN.replace("Name: images\n", "Name: web\n"))
    assert ended.status == 0, ended.stdout
    assert f"Images WARNING {ARN} has no ownership tags" in " ".join(ended.stdout.split())


RULES = """Parameters:
  Stage: {Type: String, Default: dev}
Rules:
  NeverDev:
    Assertions:
      - Assert: !Not [!Equals [!Ref Stage, dev]]
        AssertDescription: dev has no images
"""


def test_rules_are_evaluated(rehearse: Rehearse) -> None:
    """A template whose Rules reject the parameters' values is not deployed."""
    template = RULES + OWN.partition("first}\n")[2].replace("!Ref Text", "!Ref Stage")
    ended = rehearse(template)
    assert (ended.status, ended.stdout) == (2, "")
    assert "stack-0.yaml: Rules.NeverDev.Assertions[0]: the assertion is false: dev has no images" in ended.stderr
    assert rehearse(template, options=("-p", "Stage=prod")).status == 0


def test_rules_that_are_not_evaluated_are_listed(rehearse: Rehearse) -> None:
    """The events list the rules that depend on values that only AWS knows."""
    rule = RULES.replace("!Not [!Equals [!Ref Stage, dev]]", "!EachMemberIn [[a], !RefAll 'AWS::EC2::VPC::Id']")
    ended = rehearse(rule + OWN.partition("first}\n")[2].replace("!Ref Text", "!Ref Stage"))
    assert ended.status == 0, ended.stderr
    assert "rule NeverDev is not evaluated: Fn::RefAll returns values that only AWS knows" in " ".join(
        ended.stdout.split()
    )


def test_values_of_ssm_parameters_can_be_given(rehearse: Rehearse) -> None:
    """--resolve also sets the value of a parameter that is stored in an SSM parameter, as text or as a list."""
    typed = OWN.replace("{Type: String, Default: first}", "{Type: AWS::SSM::Parameter::Value<String>, Default: /text}")
    ended = rehearse(typed, options=("--resolve", "ssm:/text=second"))
    assert ended.status == 0, ended.stdout + ended.stderr
    assert 'Description: "second"' in ended.stdout
    assert "assumed to be" not in ended.stdout
    assert "has no effect" not in ended.stdout
    listed = typed.replace("Value<String>", "Value<List<String>>").replace("!Ref Text", "!Join ['+', !Ref Text]")
    assert 'Description: "a+b"' in rehearse(listed, options=("--resolve", "ssm:/text=a, b")).stdout
    assumed = rehearse(typed)
    assert "to give its value, use --resolve ssm:/text=VALUE" in " ".join(assumed.stdout.split())


def test_misspelled_type(rehearse: Rehearse) -> None:
    """A misspelled type of this provider is rejected before anything is deployed, even next to valid ones."""
    slip = "  Slip: {Type: Custom::ImageBuilderDistributionConfigurations}\nOutputs:"
    ended = rehearse(OWN.replace("Outputs:", slip))
    assert (ended.status, ended.stdout) == (2, "")
    assert "stack-0.yaml: Resources.Slip.Type: ResourceType is" in ended.stderr


def test_files_with_one_name(rehearse: Rehearse, tmp_path: Path) -> None:
    """Two files with the same name are distinguished by their paths."""
    files = [tmp_path / folder / "stack.yaml" for folder in ("old", "new")]
    for file in files:
        file.parent.mkdir()
        file.write_text(OWN.replace("first", file.parent.name), "utf-8")
    shown = rehearse(*files).stdout
    assert f"Create stack from {files[0]}" in shown
    assert f"Update stack from {files[1]}" in shown


def test_template_from_standard_input() -> None:
    """`-` reads a template from standard input, whether it is the first or a later one."""
    ended = command("rehearse", "-", stdin=OWN)
    assert ended.status == 0, ended.stdout + ended.stderr
    assert "Create stack from standard input" in ended.stdout


def test_configuration_left_behind(rehearse: Rehearse) -> None:
    """A configuration that is left behind unintentionally is named, and counted in the last line."""
    images = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/images"
    adopted = OWN.replace("Name: images\n", f"DistributionConfigurationArn: {images}\n")
    ended = rehearse(OWN, adopted)
    assert ended.status == 1
    assert f"{images}: left behind" in ended.stdout
    assert ended.stdout.rstrip().endswith("Rehearsal failed: 1 configuration left behind")
    assert rehearse(OWN, adopted.replace("Description:", "OnDelete: Retain\n      Description:")).status == 0


RETAINED = OWN.replace("Name: images\n", "Name: images\n      OnDelete: Retain\n")
IMAGES = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/images"


def broken(template: str) -> str:
    """The template with an error that only the function finds."""
    return template.replace("Region: us-east-1\n", "Region: us-east-1\n          Color: red\n")


def test_mistake_in_a_rename_back_deletes_nothing(rehearse: Rehearse) -> None:
    """If a rename back to a retained configuration fails, the rollback retains that configuration."""
    renamed = RETAINED.replace("Name: images\n", "Name: pictures\n")
    ended = rehearse(RETAINED, renamed, broken(RETAINED))
    assert ended.status == 1
    update = ended.stdout.rpartition("\nUpdate ")[2]
    assert "No configuration changed." in update
    assert update.rstrip().endswith("stack-2.yaml ended in UPDATE_ROLLBACK_COMPLETE (Images failed)")


def test_retained_resource_that_comes_back_in_a_failed_update(rehearse: Rehearse) -> None:
    """If a retained resource is added again by its Name, and the update fails, the rollback does not delete it."""
    beginning, _, rest = OWN.partition("Resources:\n")
    images = rest.partition("Outputs:")[0]
    retained = images.replace("Name: images\n", "Name: images\n      OnDelete: Retain\n")
    other = images.replace("Images:", "Others:")
    anchor = f"{beginning}Resources:\n{other.replace('Name: images', 'Name: others')}"
    bad = broken(other).replace("Others:", "Bad:\n    DependsOn: Images").replace("Name: images", "Name: bad")
    ended = rehearse(anchor + retained, anchor, anchor + images + bad)
    assert ended.status == 1
    update = ended.stdout.rpartition("\nUpdate ")[2]
    assert "UPDATE_ROLLBACK_COMPLETE" in update
    assert "No configuration changed." in update
    assert "was deleted" not in update


def test_configuration_moves_to_another_logical_id(rehearse: Rehearse) -> None:
    """If another logical ID adopts a configuration in the same update, the Delete of the former one retains it."""
    moved = OWN.replace("Images:", "Pictures:").replace("Images.Arn", "Pictures.Arn")
    moved = moved.replace("Name: images\n", f"DistributionConfigurationArn: {IMAGES}\n      OnDelete: Retain\n")
    ended = rehearse(OWN, moved)
    assert ended.status == 0, ended.stdout
    assert "(deleted)" not in ended.stdout


def test_help() -> None:
    """--help describes the rehearsal, every option, failures, and the exit status, and has examples."""
    shown = " ".join(command("rehearse", "--help").stdout.split())
    for part in (
        "--parameter",
        "--import",
        "--resolve",
        "placeholder",
        "--existing",
        "If a step fails",
        "loses a configuration",
        "an earlier step retained",
        "cfn-lint",
        "exit status",
        "Examples:",
    ):
        assert part in shown


def test_rename_that_rolls_back_leaves_no_trace(rehearse: Rehearse, tmp_path: Path) -> None:
    """If a rename or a later step of the update fails, only the old configuration remains."""
    second = OWN.split("Resources:\n")[1].split("Outputs:")[0].replace("Images:", "Others:\n    DependsOn: Images")
    before = OWN.replace("Outputs:", second.replace("Name: images\n", "Name: others\n") + "Outputs:")
    renamed = before.replace("Name: images\n", "Name: pictures\n")
    broken = renamed.replace("Name: others\n", "Name: others\n      Color: red\n")
    taken = tmp_path / "taken.json"
    taken.write_text(json.dumps({"name": "pictures", "distributions": []}), "utf-8")
    for after, options in ((broken, ()), (renamed, ("--existing", taken))):
        ended = rehearse(before, after, options=options)
        assert ended.status == 1
        update = ended.stdout.partition("\nUpdate ")[2]
        assert "UPDATE_ROLLBACK_COMPLETE" in update
        assert "No configuration changed." in update
