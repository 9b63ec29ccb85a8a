"""A server that records who signs each request, and profiles whose credentials have different access keys."""

import json
import re
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path

from provider.emulator.server import LoopbackServer, Reply

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden"
NAME = "golden {{ imagebuilder:buildDate }}"
DISTRIBUTIONS = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}]
INPUT = json.dumps({"distributionConfigurationArn": ARN, "distributions": DISTRIBUTIONS})
ROLE = "arn:aws:iam::123456789012:role/images"
_ROLE_CREDENTIALS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>AKIDOFROLE</AccessKeyId><SecretAccessKey>verysecret</SecretAccessKey>
<SessionToken>verysecrettoken</SessionToken><Expiration>{expiration}</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
_ACCESS_KEY = re.compile(r"Credential=(\w+)/")


class Signers(LoopbackServer):
    """Image Builder with one configuration, and STS. `signers` has the access key of each request to Image Builder.

    `assumed` has the body of each request to STS.
    """

    def __init__(self) -> None:
        self.signers: list[str] = []
        self.assumed: list[str] = []
        super().__init__(self._reply)

    def __exit__(self, *_: object) -> None:
        self.close()

    def environment(self, home: Path) -> dict[str, str]:
        """The variables of a process that has `home` as its home directory and no credentials."""
        return {
            "HOME": str(home),
            "AWS_ENDPOINT_URL_IMAGEBUILDER": self.url,
            "AWS_ENDPOINT_URL_STS": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }

    def _reply(self, method: str, target: str, body: bytes, headers: Message) -> Reply:
        if target == "/":
            self.assumed.append(body.decode())
            expiration = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            return Reply(200, {"Content-Type": "text/xml"}, _ROLE_CREDENTIALS.format(expiration=expiration).encode())
        signer = _ACCESS_KEY.search(str(headers["Authorization"]))
        self.signers.append(signer[1] if signer else "")
        configuration = {"arn": ARN, "name": "golden", "distributions": DISTRIBUTIONS, "tags": {}}
        response = {"distributionConfigurationArn": ARN, "distributionConfiguration": configuration}
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(response).encode())


def configure(home: Path, profiles: dict[str, str]) -> None:
    """Write a configuration file with these settings by profile."""
    (home / ".aws").mkdir(exist_ok=True)
    sections = [f"[profile {name}]\n{settings}\n" for name, settings in profiles.items()]
    (home / ".aws" / "config").write_text("\n".join(sections), "utf-8")


def key(name: str) -> str:
    """The settings of a profile with its own access key."""
    return f"aws_access_key_id = {name}\naws_secret_access_key = verysecret"
