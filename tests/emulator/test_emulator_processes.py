"""Other processes can use the emulator: the AWS CLI, botocore through environment variables, and HTTPS."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from provider.emulator.emulator import Emulator

AWS = str(Path(sys.executable).with_name("aws"))
CERTIFICATE = Path(__file__).with_name("test_emulator.pem")
EXAMPLE = {
    "distributionConfigurationArn": (
        "arn:aws:imagebuilder:us-west-2:123456789012:distribution-configuration/myexampledistribution"
    ),
    "description": "Copies AMI to eu-west-2 and exports to S3",
    "distributions": [
        {
            "region": "us-west-2",
            "amiDistributionConfiguration": {
                "name": "Name {{imagebuilder:buildDate}}",
                "description": "An example image name with parameter references",
            },
        },
        {
            "region": "eu-west-2",
            "amiDistributionConfiguration": {
                "name": "My {{imagebuilder:buildVersion}} image {{imagebuilder:buildDate}}"
            },
        },
    ],
}
WHAT_A_MACHINE_MAY_HAVE_SET = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_REGION": "ap-south-1",
}


def environment(emulator: Emulator) -> dict[str, str]:
    path = {"PATH": os.environ["PATH"], "AWS_PAGER": "", "AWS_CONFIG_FILE": os.devnull}
    return {**path, **WHAT_A_MACHINE_MAY_HAVE_SET, **emulator.environment()}


def test_aws_cli(tmp_path: Path) -> None:
    """The AWS CLI with the emulator as its endpoint updates a configuration with the documentation's example."""
    source = tmp_path / "update-distribution-configuration.json"
    source.write_text(json.dumps(EXAMPLE))
    with Emulator(region="us-west-2") as emulator:
        arn = emulator.seed(name="MyExampleDistribution", distributions=[{"region": "us-west-2"}])
        command = [AWS, "--endpoint-url", emulator.url, "imagebuilder", "update-distribution-configuration"]
        done = subprocess.run(
            [*command, "--cli-input-json", source.as_uri()],
            env=environment(emulator),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        response = json.loads(done.stdout)
        (request,) = emulator.requests
        live = emulator.configurations[arn]
    assert arn == EXAMPLE["distributionConfigurationArn"] == response["distributionConfigurationArn"]
    assert request.operation == "UpdateDistributionConfiguration"
    assert request.parameters == {**EXAMPLE, "clientToken": response["clientToken"]}
    assert live["distributions"] == EXAMPLE["distributions"]
    assert live["description"] == EXAMPLE["description"]


def test_aws_cli_errors() -> None:
    """The AWS CLI shows an error's code and message."""
    arn = str(EXAMPLE["distributionConfigurationArn"])
    with Emulator() as emulator:
        command = [AWS, "imagebuilder", "delete-distribution-configuration"]
        done = subprocess.run(
            [*command, "--distribution-configuration-arn", arn],
            env=environment(emulator),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode != 0
    assert "ResourceNotFoundException" in done.stderr
    assert arn in done.stderr


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variables direct a botocore client to the emulator, whatever proxies and settings there are."""
    with Emulator(region="eu-central-1") as emulator:
        for name, value in {**WHAT_A_MACHINE_MAY_HAVE_SET, **emulator.environment()}.items():
            monkeypatch.setenv(name, value)
        client: Any = boto3.session.Session().client("imagebuilder")
        response = client.list_distribution_configurations()
        client.close()
        assert response["requestId"]
        assert client.meta.region_name == "eu-central-1"
        assert len(emulator.requests) == 1


def test_https(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a certificate, the emulator serves HTTPS, and its environment makes a client trust and verify it."""
    with Emulator(certificate=CERTIFICATE) as emulator:
        assert emulator.url.startswith("https://127.0.0.1:")
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        config = Config(retries={"total_max_attempts": 1})
        client: Any = boto3.session.Session().client("imagebuilder", config=config)
        assert client.list_distribution_configurations()["requestId"]
        client.close()
