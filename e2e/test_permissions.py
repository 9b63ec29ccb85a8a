"""The policies of docs/permissions.md allow the calls that the documented commands make."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from e2e.account import Account
from e2e.conftest import Application
from e2e.tools import BIN, CERTIFICATE, ROOT, SAM, environment
from provider.emulator.emulator import Emulator

POLICIES = ROOT / "examples" / "permissions"
DEVELOPER = ROOT / ".venv" / "bin"
NAME = "permitted"

RECORDER = """
import logging, os

class Recorder(logging.Handler):
    def emit(self, record):
        if str(record.msg).startswith("Making request for"):
            operation = record.args[0]
            with open(os.environ["RECORDED_CALLS"], "a") as file:
                print(f"{operation.service_model.service_name}:{operation.name}", file=file)

logger = logging.getLogger("botocore.endpoint")
logger.setLevel(logging.DEBUG)
logger.addHandler(Recorder())
"""
"""A sitecustomize module: every Python process writes its AWS calls into a file."""

Recorded: TypeAlias = Callable[..., set[str]]

ACTIONS = {
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""Operations whose IAM action has another name. Source: Amazon S3's service authorization reference."""
UNRESTRICTED = {"sts:GetCallerIdentity"}
"""Calls that need no permission."""


@pytest.fixture
def called(account: Account, service: Emulator, tmp_path: Path) -> Recorded:
    """Runs a command in a shell's environment, whose endpoint is the account, and returns the IAM actions it needs."""
    (tmp_path / "sitecustomize.py").write_text(RECORDER, "utf-8")
    calls = tmp_path / "calls"
    endpoints = {"AWS_ENDPOINT_URL": account.stacks.meta.endpoint_url, "AWS_CA_BUNDLE": str(CERTIFICATE)}
    recorder = {"PYTHONPATH": str(tmp_path), "RECORDED_CALLS": str(calls)}
    variables = environment(tmp_path, **{**service.environment(), **SAM, **endpoints, **recorder})
    variables["PATH"] = f"{DEVELOPER}:{BIN}:{variables['PATH']}"

    def run(*command: str) -> set[str]:
        calls.write_text("", "utf-8")
        ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return {ACTIONS.get(call, call) for call in calls.read_text("utf-8").split()} - UNRESTRICTED

    return run


def allowed(name: str) -> set[str]:
    """Return the actions that a policy allows."""
    statements = json.loads((POLICIES / f"{name}.json").read_text("utf-8"))["Statement"]
    lists = (one["Action"] if isinstance(one["Action"], list) else [one["Action"]] for one in statements)
    return {action for actions in lists for action in actions}


def test_deploying_the_provider(application: Application, called: Recorded, account: Account) -> None:
    """The policy for deploying the provider allows the calls of `sam deploy` and `sam delete`."""
    stack = ["--stack-name", NAME]
    settings = [
        "--config-file",
        str(ROOT / "samconfig.toml"),
        "--no-confirm-changeset",
        "--no-progressbar",
        "--force-upload",
    ]
    deployed = called("sam", "deploy", "--template-file", str(application.template), *stack, *settings)
    assert account.settled(NAME) == "CREATE_COMPLETE"
    assert deployed >= {"cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "s3:PutObject"}
    deleted = called("sam", "delete", *stack, "--no-prompts", "--region", "us-east-1")
    assert (deployed | deleted) - allowed("deploy-the-provider") == set()


@pytest.mark.usefixtures("account")
def test_deploying_a_stack(called: Recorded) -> None:
    """The policy for deploying a stack allows the calls of `aws cloudformation deploy` and `delete-stack`."""
    template = str(ROOT / "examples" / "cloudformation" / "golden-image.yaml")
    aws, stack = ("aws", "cloudformation"), ("--stack-name", "images-permitted")
    made = called(*aws, "deploy", "--template-file", template, *stack)
    made |= called(*aws, "describe-stack-events", *stack)
    made |= called(*aws, "delete-stack", *stack)
    made |= called(*aws, "wait", "stack-delete-complete", *stack)
    assert made >= {"cloudformation:CreateChangeSet", "cloudformation:DeleteStack"}
    assert made - allowed("deploy-a-stack") == set()


@pytest.mark.usefixtures("account")
def test_verifying(called: Recorded) -> None:
    """The policy for verify allows its calls. The function invokes Image Builder with its own role."""
    made = called("python", "-m", "provider", "verify")
    assert made >= {"cloudformation:CreateStack", "cloudformation:DeleteStack", "iam:SimulatePrincipalPolicy"}
    assert made - allowed("verify") == set()
