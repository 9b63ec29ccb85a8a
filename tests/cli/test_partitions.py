"""`plan`, `rehearse`, and `emulate` work in each partition that botocore knows."""

import subprocess
import sys
from pathlib import Path

import pytest
from botocore.loaders import Loader

from provider.emulator.emulator import Emulator
from provider.template.partitions import partition_of
from tests.cli.commands import ROOT, command
from tests.cli.plans import planned

PARTITIONS = {
    one["id"]: (next(name for name in one["regions"] if not name.endswith("-global")), one["outputs"]["dnsSuffix"])
    for one in Loader().load_data("partitions")["partitions"]
}
EACH = pytest.mark.parametrize(
    ("partition", "region"), [(name, region) for name, (region, _) in PARTITIONS.items()], ids=list(PARTITIONS)
)
HERE = "${AWS::Partition}:imagebuilder:${AWS::Region}:${AWS::AccountId}:distribution-configuration"
OWN = """\
Resources:
  Images:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:p
      Name: web-base
      Distributions:
        - Region: !Ref AWS::Region
          AmiDistributionConfiguration:
            Name: "web {{ imagebuilder:buildDate }}"
            LaunchPermissionConfiguration:
              OrganizationArns: [!Sub "arn:${AWS::Partition}:organizations::111122223333:organization/o-abcdefghij"]
              OrganizationalUnitArns: [!ImportValue unit]
Outputs:
  Arn: {Value: !Ref Images}
  Suffix: {Value: !Ref AWS::URLSuffix}
"""
ADOPT = OWN.replace("Name: web-base", f"DistributionConfigurationArn: !Sub arn:{HERE}/web-base")


@pytest.fixture(params=[OWN, ADOPT], ids=["own", "adopt"])
def template(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / "stack.yaml"
    file.write_text(request.param)
    return file


@EACH
def test_rehearse(partition: str, region: str, template: Path) -> None:
    """A rehearsal in any partition succeeds, with that partition's ARNs and domain."""
    ended = command("rehearse", "--region", region, template)
    assert ended.status == 0, ended.stdout + ended.stderr
    arn = f"arn:{partition}:imagebuilder:{region}:123456789012:distribution-configuration/web-base"
    assert f"Output Arn: {arn}\n" in ended.stdout
    assert f"Output Suffix: {PARTITIONS[partition][1]}\n" in ended.stdout
    assert f"arn:{partition}:organizations::" in ended.stdout


@EACH
def test_plan(partition: str, region: str, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan in any partition finds or creates a configuration by its ARN there."""
    with Emulator(region) as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        is_adopted = "DistributionConfigurationArn" in template.read_text()
        if is_adopted:
            emulator.seed(name="web-base", distributions=[{"region": region, "amiDistributionConfiguration": {}}])
        (change,) = planned(template, "--region", region, status=3).values()
    assert change["action"] == ("update" if is_adopted else "create")
    assert change["arn"] == f"arn:{partition}:imagebuilder:{region}:123456789012:distribution-configuration/web-base"


@EACH
def test_emulate(partition: str, region: str) -> None:
    """The emulator accepts a Region of any partition."""
    arguments = [sys.executable, "-m", "provider", "emulate", "--region", region]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            lines = [process.stdout.readline() for _ in range(4)]
        finally:
            process.terminate()
    assert f"export AWS_REGION={region}\n" in lines


def test_new_regions_belong_to_a_partition() -> None:
    """A Region that botocore does not list belongs to the partition whose naming it follows, or to aws."""
    assert partition_of("us-isob-north-7").name == "aws-iso-b"
    assert partition_of("eusc-de-west-2").url_suffix == "amazonaws.eu"
    assert partition_of("us-wets-2") == partition_of("moon-1") == ("aws", "amazonaws.com")


def test_an_arn_of_another_partition_is_not_found(tmp_path: Path) -> None:
    """A configuration's ARN whose partition does not contain its Region cannot be adopted in a rehearsal."""
    file = tmp_path / "stack.yaml"
    file.write_text(ADOPT.replace("!Sub arn:${AWS::Partition}:imagebuilder", "!Sub arn:aws-cn:imagebuilder"))
    ended = command("rehearse", file)
    assert ended.status == 1
    assert "was not found" in ended.stdout or "does not exist" in ended.stdout, ended.stdout
