"""Encodings, YAML 1.2, values that begin with a dash, and output that cannot be written, as in version 2."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provider.cli.awscli.problems import with_api_names
from provider.emulator.emulator import Emulator
from provider.schema.model import UPDATE, operation
from tests.cli.commands import ROOT, Ended, command

NAME = "golden {{ imagebuilder:buildDate }}"
DISTRIBUTIONS: list[dict[str, Any]] = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}]


@pytest.fixture
def arn(emulator: Emulator) -> str:
    """The ARN of an existing configuration."""
    return emulator.seed(name="golden", description="was there", distributions=DISTRIBUTIONS)


def update(arn: str, *arguments: str) -> Ended:
    """Run the command in this process."""
    target = ("--distribution-configuration-arn", arn, "--distributions", json.dumps(DISTRIBUTIONS))
    return command("update-distribution-configuration", *target, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--description", "--dry-run"),
        ("--dry-run", "--description"),
        ("--description", "-x"),
        ("--description", "--"),
        ("--description", "--description"),
        ("--description", "--query=a b"),
        ("--client-token", "-1x", "--dry-run"),
        ("--query", "--output", "json"),
        ("--region", "--dry-run"),
        ("--cli-input-json", "--dry-run"),
    ],
    ids=" ".join,
)
def test_missing_value(arguments: tuple[str, ...], arn: str, emulator: Emulator) -> None:
    """An option is no value of the option before it: the missing value is an error, and no call is made."""
    ended = update(arn, *arguments)
    assert (ended.status, ended.stdout, emulator.requests) == (252, "", [])
    assert "expected one argument" in ended.stderr


def test_missing_value_says_how_to_write_it(arn: str) -> None:
    """The message about a separate value that begins with a dash says how to write it."""
    ended = update(arn, "--description", "-x")
    assert "if -x is its value, write --description=-x" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "description"),
    [
        (("--description=-x",), "-x"),
        (("--description=--dry-run",), "--dry-run"),
        (("--description", "-5"), "-5"),
        (("--description", "-.5"), "-.5"),
        (("--description", "-"), "-"),
        (("--description", "- one item"), "- one item"),
        (("--description", "a=--dry-run"), "a=--dry-run"),
        (("--description", "help"), "help"),
    ],
    ids=str,
)
def test_value_with_a_dash(arguments: tuple[str, ...], description: str, arn: str, emulator: Emulator) -> None:
    """As in argparse, a value may begin with a dash after an equals sign, or if it is a number or has spaces."""
    ended = update(arn, *arguments)
    assert ended.status == 0, ended.stderr
    assert emulator.configurations[arn]["description"] == description


def test_a_dash_ends_a_list(arn: str, emulator: Emulator) -> None:
    """The values of a list end before the next option."""
    ended = update(arn, "--distributions", json.dumps(DISTRIBUTIONS[0]), "--dry-run")
    assert ended.status == 0, ended.stderr
    assert UPDATE not in [request.operation for request in emulator.requests]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("12:30:45", "12:30:45"),
        ("1:30", "1:30"),
        ("!!str 010", "010"),
        ("a: b", None),
    ],
)
def test_text_in_yaml(text: str, value: str | None, arn: str, emulator: Emulator) -> None:
    """In YAML 1.2, words such as yes, and times, are text."""
    ended = yaml_input(f"distributionConfigurationArn: {arn}\ndescription: {text}\ndistributions: {DISTRIBUTIONS}\n")
    assert ended.status == (252 if value is None else 0), ended.stderr
    if value is not None:
        assert emulator.configurations[arn]["description"] == value


@pytest.mark.parametrize(
    ("text", "value"), [("010", 10), ("0o10", 8), ("0x10", 16), ("0b110", 6), ("1_0", 10), ("+7", 7), ("08", 8)]
)
def test_integer_in_yaml(text: str, value: int, arn: str, emulator: Emulator) -> None:
    """In YAML 1.2, an integer that begins with a zero is decimal."""
    fast = f"{{region: us-east-1, fastLaunchConfigurations: [{{enabled: true, maxParallelLaunches: {text}}}]}}"
    ended = yaml_input(f"distributionConfigurationArn: {arn}\ndistributions: [{fast}]\n")
    assert ended.status == 0, ended.stderr
    (distribution,) = emulator.configurations[arn]["distributions"]
    assert distribution["fastLaunchConfigurations"][0]["maxParallelLaunches"] == value


def test_yes_is_no_boolean(arn: str, emulator: Emulator) -> None:
    """Where a boolean is required, the text yes is an error."""
    fast = "{region: us-east-1, fastLaunchConfigurations: [{enabled: yes, maxParallelLaunches: 6}]}"
    ended = yaml_input(f"distributionConfigurationArn: {arn}\ndistributions: [{fast}]\n")
    assert (ended.status, emulator.requests) == (252, [])
    assert 'enabled: must be true or false, not "yes"' in ended.stderr


@pytest.mark.parametrize(
    "text",
    [
        "description: a\ndescription: b\n",
        'description: a\n"description": b\n',
        "distributions:\n- region: us-east-1\n  region: eu-west-1\n",
        "{description: a, description: a}",
        "x: &a {description: a}\ny: {<<: *a, <<: *a}\n",
    ],
)
def test_duplicate_key(text: str, emulator: Emulator) -> None:
    """A duplicate key at any depth is an error that names the key and its line."""
    ended = yaml_input(text)
    assert (ended.status, ended.stdout, emulator.requests) == (252, "", [])
    assert "Invalid YAML: found duplicate key" in ended.stderr
    assert "line " in ended.stderr


def test_merged_key_is_no_duplicate(arn: str, emulator: Emulator) -> None:
    """A key that overrides a merged one is no duplicate."""
    text = (
        f"distributionConfigurationArn: {arn}\ndistributions:\n"
        f"- &a {{region: us-east-1, amiDistributionConfiguration: {{name: '{NAME}'}}}}\n"
        "- {<<: *a, region: eu-west-1}\n"
    )
    assert yaml_input(text).status == 0
    assert [one["region"] for one in emulator.configurations[arn]["distributions"]] == ["us-east-1", "eu-west-1"]


def yaml_input(text: str) -> Ended:
    return command("update-distribution-configuration", "--cli-input-yaml", text)


@pytest.mark.parametrize(("variable", "encoding"), [("latin-1", "latin-1"), ("cp1252", "cp1252"), ("", "utf-8-sig")])
def test_file_encoding(
    variable: str, encoding: str, arn: str, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are read in the encoding of AWS_CLI_FILE_ENCODING; without it, in UTF-8."""
    monkeypatch.setenv("AWS_CLI_FILE_ENCODING", variable)
    file, whole = tmp_path / "description.txt", tmp_path / "input.json"
    file.write_text("Café", encoding)
    assert update(arn, "--description", f"file://{file}").status == 0
    assert emulator.configurations[arn]["description"] == "Café"
    members = {"distributionConfigurationArn": arn, "description": "Crème", "distributions": DISTRIBUTIONS}
    whole.write_text(json.dumps(members, ensure_ascii=False), encoding)
    for option in ("--cli-input-json", "--cli-input-yaml"):
        assert command("update-distribution-configuration", option, f"file://{whole}").status == 0
        assert emulator.configurations[arn]["description"] == "Crème"


@pytest.mark.parametrize("variable", ["AWS_CLI_FILE_ENCODING", "AWS_CLI_OUTPUT_ENCODING"])
@pytest.mark.parametrize("encoding", ["no-such-codec", "hex"])
def test_unknown_encoding(
    variable: str, encoding: str, arn: str, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown encoding ends the command with status 255, and no call is made."""
    monkeypatch.setenv(variable, encoding)
    file = tmp_path / "description.txt"
    file.write_text("a", "utf-8")
    ended = update(arn, "--description", f"file://{file}")
    assert (ended.status, ended.stdout, emulator.requests) == (255, "", [])
    assert ended.stderr == f"\n{variable}: unknown encoding: {encoding}\n"


@pytest.mark.parametrize(
    ("encoding", "output", "printed"),
    [
        ("utf-8", "json", '"é宽😀"\n'.encode()),
        ("utf-16-le", "text", "é宽😀\n".encode("utf-16-le")),
        ("latin-1", "json", b'"\xe9\\u5bbd\\ud83d\\ude00"\n'),
        ("ascii", "yaml", b'"\\u00e9\\u5bbd\\ud83d\\ude00"\n'),
    ],
)
def test_output_encoding(encoding: str, output: str, printed: bytes, arn: str) -> None:
    """The output is in the encoding of AWS_CLI_OUTPUT_ENCODING. What it lacks is printed as JSON's escapes."""
    arguments = ("--query", '`"é宽😀"`', "--output", output)
    ended = run(arn, arguments, AWS_CLI_OUTPUT_ENCODING=encoding, PYTHONIOENCODING="latin-1")
    assert (ended.returncode, ended.stdout) == (0, printed), ended.stderr


@pytest.mark.parametrize(
    ("query", "printed"),
    [
        ("distributionConfigurationArn", '"{arn}"\n'),
        ('`"yes"`', '"yes"\n'),
        ('`"Ü宽\\n"`', '"Ü宽\\n"\n'),
        ("`10`", "10\n"),
        ("`true`", "true\n"),
        ("nothing", "null\n"),
        ("`{}`", ""),
        ("`[]`", "[]\n"),
        ('`["yes", "010", "12:30:45", "null", "a: b"]`', "- yes\n- '010'\n- 12:30:45\n- 'null'\n- 'a: b'\n"),
        ("`[1e20]`", "- 1e+20\n"),
    ],
)
def test_query_as_yaml(query: str, printed: str, arn: str) -> None:
    """A scalar from --query is printed as in version 2: as JSON; lists and mappings are YAML 1.2."""
    ended = update(arn, "--output", "yaml", "--query", query)
    assert (ended.status, ended.stdout) == (0, printed.replace("{arn}", arn)), ended.stderr


def run(
    arn: str, arguments: tuple[str, ...], after: str = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process, followed by shell syntax."""
    target = ("--distribution-configuration-arn", arn, "--distributions", json.dumps(DISTRIBUTIONS))
    whole = [sys.executable, "-m", "provider", "update-distribution-configuration", *target, *arguments]
    return subprocess.run(
        ["/bin/bash", "-c", f'"$@" {after}', "bash", *whole],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments", [(), ("--dry-run",), ("--dry-run", "--output", "json"), ("--output", "table"), ("--help",)], ids=str
)
def test_closed_pipe(arguments: tuple[str, ...], arn: str) -> None:
    """If the reader of the output closes the pipe after success, the exit status is 0, and nothing is reported."""
    ended = run(arn, arguments, "| true; exit ${PIPESTATUS[0]}")
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_closed_pipe_after_a_failure(arn: str) -> None:
    """A closed pipe does not hide that the call failed."""
    ended = run(f"{arn}-not", (), "| true; exit ${PIPESTATUS[0]}")
    assert ended.returncode == 254
    assert b"ResourceNotFoundException" in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_full_disk(arn: str) -> None:
    """If the output cannot be written, the message says why, and the status is one of this command's."""
    ended = run(arn, (), "> /dev/full")
    assert ended.returncode == 255
    assert ended.stderr == b"\nCannot write the output: No space left on device\n"


def test_dry_run_as_json(arn: str, emulator: Emulator) -> None:
    """With --output json, a dry run prints the differences as JSON by the API's names."""
    distributions = [{**DISTRIBUTIONS[0], "amiDistributionConfiguration": {"name": NAME, "amiTags": {"Owner": "me"}}}]
    ended = update(arn, "--dry-run", "--output", "json", "--distributions", json.dumps(distributions))
    assert (ended.status, ended.stderr) == (0, "")
    assert json.loads(ended.stdout) == {
        "distributionConfigurationArn": arn,
        "changes": True,
        "differences": [
            {"path": "description", "old": "was there", "new": None},
            {
                "path": 'distributions["us-east-1"].amiDistributionConfiguration.amiTags',
                "old": None,
                "new": {"Owner": "me"},
            },
        ],
    }
    assert UPDATE not in [request.operation for request in emulator.requests]


def test_dry_run_as_json_without_a_difference(arn: str) -> None:
    """Without a difference, a dry run prints an empty list as JSON. --query selects from the object."""
    arguments = ("--description", "was there", "--dry-run")
    assert json.loads(update(arn, *arguments, "--output", "json").stdout)["differences"] == []
    assert update(arn, *arguments, "--query", "changes").stdout == "false\n"


def test_duplicate_id(emulator: Emulator) -> None:
    """A duplicate ID is shown as a difference."""
    image: dict[str, Any] = {"name": NAME, "launchPermission": {"userIds": ["111111111111"]}}
    arn = emulator.seed(name="once", distributions=[{"region": "us-east-1", "amiDistributionConfiguration": image}])
    twice = {"name": NAME, "launchPermission": {"userIds": ["111111111111", "111111111111"]}}
    new = json.dumps([{"region": "us-east-1", "amiDistributionConfiguration": twice}])
    ended = update(arn, "--dry-run", "--distributions", new)
    path = 'distributions["us-east-1"].amiDistributionConfiguration.launchPermission.userIds'
    assert f'~ {path}:\n      +   "111111111111"\n' in ended.stdout


def test_half_of_a_surrogate_pair(arn: str) -> None:
    """Half of a surrogate pair, which JSON can contain, is shown as an escape."""
    ended = run(arn, ("--dry-run", "--cli-input-json", '{"description": "a\\ud800b"}'))
    assert ended.returncode == 0, ended.stderr
    assert b'description: "was there" -> "a\\ud800b"' in ended.stdout


def test_messages_have_the_names_of_the_api(arn: str, emulator: Emulator) -> None:
    """The names in a message are the API's; values that it quotes stay as they are."""
    named = {"name": "AmiDistributionConfiguration", "targetAccountIds": ["111111111111"]}
    ssm = [{"amiAccountId": "222222222222", "parameterName": "/a"}]
    entries = [
        {"region": "us-east-1"},
        {"region": "eu-west-1", "amiDistributionConfiguration": named, "ssmParameterConfigurations": ssm},
    ]
    ended = update(arn, "--distributions", json.dumps(entries))
    assert (ended.status, emulator.requests) == (252, [])
    assert "add an output, such as amiDistributionConfiguration\n" in ended.stderr
    assert "is not one of this Region's targetAccountIds\n" in ended.stderr
    assert 'but "AmiDistributionConfiguration" does not\n' in ended.stderr


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("see S3Bucket and KmsKeyId", "see s3Bucket and kmsKeyId"),
        ('KmsKeyId "KmsKeyId" and "an \\" KmsKeyId', 'kmsKeyId "KmsKeyId" and "an \\" KmsKeyId'),
        ("each Region of Distributions[1].Region", "each Region of distributions[1].region"),
        ("set Distributions[0].AmiDistributionConfiguration.Name. Name it", "set distributions[0]."
         "amiDistributionConfiguration.name. Name it"),
        ("an AMI in EC2 uses SSM, see Systems Manager", "an AMI in EC2 uses SSM, see Systems Manager"),
    ],
)  # fmt: skip
def test_names_in_a_message(message: str, expected: str) -> None:
    """A message about the API's input has the API's names, also in paths; other words and quoted text stay."""
    assert with_api_names(message, operation(UPDATE)) == expected


def test_help_names_the_version() -> None:
    """--help says which version of the AWS CLI the command follows where the versions differ."""
    text = " ".join(command("update-distribution-configuration", "--help").stdout.split())
    assert "Where versions 1 and 2 of the AWS CLI differ, it follows version 2 (2.36)" in text
    assert "AWS_PROFILE takes precedence over AWS_DEFAULT_PROFILE" in text
