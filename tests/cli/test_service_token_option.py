"""`skeleton`, `convert`, and `export` write the ServiceToken that --service-token names."""

import json

import pytest

from provider.emulator.emulator import Emulator
from provider.template.reader import read
from tests.cli.commands import command, process

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:images-ProviderFunction-AB12"
NATIVE = """
Resources:
  Images:
    Type: AWS::ImageBuilder::DistributionConfiguration
    DeletionPolicy: Retain
    Properties: {Name: images, Distributions: [{Region: us-east-1, AmiDistributionConfiguration: {}}]}
"""
INPUT = json.dumps({"name": "images", "distributions": [{"region": "us-east-1", "amiDistributionConfiguration": {}}]})
OUTPUT = json.dumps({"distributionConfiguration": {
    "arn": "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/images", "distributions": [],
}})  # fmt: skip

WRITTEN = [
    ("skeleton", "", ()),
    ("skeleton", "", ("--required", "--format", "json")),
    ("skeleton", "", ("--type", "contribution")),
    ("convert", NATIVE, ("-",)),
    ("convert", NATIVE, ("-", "--adopt")),
    ("convert", INPUT, ("-",)),
    ("convert", "# mine\n" + INPUT.replace(",", ",\n"), ("-",)),
    ("convert", OUTPUT, ("-",)),
]


def token_in(text: str) -> object:
    """The ServiceToken of a template's only resource."""
    (resource,) = read(text.encode()).tree["Resources"].values()
    return resource["Properties"]["ServiceToken"]


@pytest.mark.parametrize(("name", "given", "options"), WRITTEN)
def test_an_arn_is_written_as_it_is(name: str, given: str, options: tuple[str, ...]) -> None:
    """A function's ARN becomes the ServiceToken of every template that the commands write."""
    assert token_in(command(name, *options, "--service-token", ARN, stdin=given).stdout) == ARN


@pytest.mark.parametrize(("name", "given", "options"), WRITTEN)
def test_an_export_is_imported(name: str, given: str, options: tuple[str, ...]) -> None:
    """The name of an export is imported, by default that of the provider's stack in the deployment guide."""
    imported = {"Fn::ImportValue": "acme-ServiceToken"}
    assert token_in(command(name, *options, "--service-token", "acme-ServiceToken", stdin=given).stdout) == imported
    default = {"Fn::ImportValue": "image-builder-distribution-provider-ServiceToken"}
    assert token_in(command(name, *options, stdin=given).stdout) == default


def test_export_writes_it(emulator: Emulator) -> None:
    """`export` writes it, too."""
    arn = emulator.seed(name="images", distributions=[])
    assert token_in(process("export", arn, "--service-token", ARN, **emulator.environment()).stdout) == ARN


@pytest.mark.parametrize("given", ["arn:aws:iam::123456789012:role/images", "my provider", ""])
def test_anything_else_is_an_error(given: str) -> None:
    """What is neither a function's ARN nor the name of an export is an error that says where the ARN is."""
    ended = command("skeleton", "--service-token", given)
    assert (ended.status, ended.stdout) == (2, "")
    assert f"--service-token: {given!r} is neither" in ended.stderr


@pytest.mark.parametrize("target", ["native", "cli"])
def test_only_the_provider_s_resources_have_one(target: str) -> None:
    """With --to native or cli, the option is an error: the result has no ServiceToken."""
    ended = command("convert", "-", "--to", target, "--service-token", ARN, stdin=NATIVE)
    assert ended.status == 2
    assert "--service-token can be used only with --to ours" in ended.stderr
