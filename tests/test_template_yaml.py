"""The SAM application: its parameters, alarms, encryption, and publication."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.model import StructureShape
from cfnlint.decode import cfn_yaml

from provider import __version__
from provider.cloudformation.deadline import Deadline
from provider.template.sections import Template, load
from tests.stack import Resource, ami

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def application() -> Template:
    return load(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def alarms(application: Template) -> dict[str, dict[str, Any]]:
    """The properties of the alarms by logical ID."""
    return {
        name: one["Properties"]
        for name, one in application.resources.items()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    }


@pytest.fixture(scope="module")
def widgets(application: Template) -> list[dict[str, Any]]:
    """The dashboard's widgets, with logical IDs in place of references."""
    body = application.resources["OperationsDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    text, with_ledger = body[0], body[1]["LedgerAlarms"]["Fn::If"][1]["Fn::Sub"]
    whole = re.sub(r"\$\{([^}]+)\}", r"\1", text.replace("${LedgerAlarms}", with_ledger))
    found: list[dict[str, Any]] = json.loads(whole)["widgets"]
    return found


def test_the_application_lints_clean() -> None:
    """cfn-lint finds nothing in the application, not even warnings."""
    command = [Path(sys.executable).with_name("cfn-lint"), ROOT / "template.yaml"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_page_names_every_parameter(application: Template) -> None:
    """docs/parameters.md describes each parameter."""
    page = (ROOT / "docs" / "parameters.md").read_text("utf-8")
    assert application.parameters
    assert not [name for name in application.parameters if f"`{name}`" not in page]


def test_every_parameter_is_described(application: Template) -> None:
    """Each parameter has a default, a description, and allowed values, a range, or a pattern with a description."""
    for name, parameter in application.parameters.items():
        assert {"Default", "Description"} <= set(parameter), name
        limits = ({"AllowedValues"}, {"MinValue", "MaxValue"}, {"AllowedPattern", "ConstraintDescription"})
        assert any(limit <= set(parameter) for limit in limits), name


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("NamePattern", "golden-*", "Golden"),
        ("ExportBucketPattern", "archive.example", "s3://archive"),
        ("SsmParameterPattern", "images/*", "/images/*"),
        ("SourceParameterPattern", "images/accounts*", "/images/accounts"),
        ("OrganizationsRoleArn", "arn:aws-cn:iam::123456789012:role/a/b", "arn:aws:iam::123456789012:user/a"),
        ("PermissionsBoundary", "arn:aws:iam::123456789012:policy/bound", "arn:aws:iam::123456789012:role/bound"),
        (
            "KmsKeyArn",
            "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-0a",
            "arn:aws:kms:us-east-1:123456789012:alias/a",
        ),
        ("Regions", "eu-west-1,us-gov-west-1", "eu-west-1, us-west-2"),
        ("Regions", "ap-southeast-1", "ap-southeast-1,"),
        (
            "AssumableRoleArns",
            "arn:aws:iam::210987654321:role/images,arn:aws-cn:iam::*:role/teams/a?b-*",
            "arn:aws:iam::210987654321:user/images",
        ),
        ("AssumableRoleArns", "arn:aws:iam::*:role/*", "arn:aws:iam::*:role/a,"),
        ("AlarmTopic", "arn:aws:sns:us-east-1:123456789012:on-call", "on-call"),
        ("SubnetIds", "subnet-0a1b2c3d,subnet-0123456789abcdef0", "subnet-0a1b2c3d, subnet-4e5f6a7b"),
        ("SecurityGroupIds", "sg-0a1b2c3d", "sg-0a1b2c3d,"),
    ],
)
def test_a_pattern_accepts_valid_values_only(application: Template, parameter: str, good: str, bad: str) -> None:
    """A parameter accepts its default and valid values, and rejects similar invalid ones."""
    pattern = application.parameters[parameter]["AllowedPattern"]
    assert re.fullmatch(pattern, application.parameters[parameter]["Default"])
    assert re.fullmatch(pattern, good)
    assert not re.fullmatch(pattern, bad)


def test_every_alarm_notifies_the_topic(alarms: dict[str, dict[str, Any]]) -> None:
    """Each alarm has a description, notifies the topic of the parameter, and treats missing data as good."""
    topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
    assert alarms
    for alarm in alarms.values():
        assert alarm["AlarmDescription"]
        assert (alarm["AlarmActions"], alarm["TreatMissingData"]) == (topic, "notBreaching")


def test_there_is_an_alarm_for_each_failure(alarms: dict[str, dict[str, Any]]) -> None:
    """There are alarms for errors, throttling, duration, the last-resort function, and unanswered requests."""
    watched = {
        (alarm["MetricName"], named(dimension["Value"]), dimension["Name"])
        for alarm in alarms.values()
        for dimension in alarm.get("Dimensions", [])[:1]
    }
    assert watched == {
        ("Errors", "ProviderFunction", "FunctionName"),
        ("Throttles", "ProviderFunction", "FunctionName"),
        ("Duration", "ProviderFunction", "FunctionName"),
        ("Invocations", "LastResortFunction", "FunctionName"),
        ("ApproximateNumberOfMessagesVisible", "Unanswered", "QueueName"),
    }


def test_there_is_an_alarm_for_each_problem_of_a_sweep(
    application: Template, alarms: dict[str, dict[str, Any]]
) -> None:
    """With the ledger, there are alarms for failed sweeps, held removals, and drift, each with a filter of the log."""
    assert {name for name, one in application.resources.items() if one.get("Condition") == "HasLedger"} >= {
        "DriftAlarm",
        "FailedSweepsAlarm",
        "HeldRemovalsAlarm",
        "SweepErrorsAlarm",
    }
    for name in ("Drift", "FailedSweeps", "HeldRemovals"):
        (transformation,) = application.resources[f"{name}Filter"]["Properties"]["MetricTransformations"]
        alarm = alarms[f"{name}Alarm"]
        assert (transformation["MetricName"], transformation["MetricNamespace"]) == (
            alarm["MetricName"],
            alarm["Namespace"],
        )


def test_sweeps_have_alarms_of_their_own(application: Template, alarms: dict[str, dict[str, Any]]) -> None:
    """With the ledger, the alarms for requests ignore sweeps, which invoke an alias with an alarm of its own."""
    requests = {
        "Fn::If": ["HasLedger", {"Name": "Resource", "Value": {"Ref": "ProviderFunction"}}, {"Ref": "AWS::NoValue"}]
    }
    for name in ("Errors", "Throttles", "Duration"):
        assert alarms[f"{name}Alarm"]["Dimensions"][1] == requests
    (_, sweeps) = alarms["SweepErrorsAlarm"]["Dimensions"]
    alias = application.resources["SweepAlias"]["Properties"]["Name"]
    assert sweeps == {"Name": "Resource", "Value": {"Fn::Sub": f"${{ProviderFunction}}:{alias}"}}


def named(reference: dict[str, Any]) -> str:
    """Return the logical ID in a Ref or a GetAtt."""
    [target] = reference.values()
    return str(target if isinstance(target, str) else target[0])


def test_the_duration_alarm_precedes_the_timeout(application: Template, alarms: dict[str, dict[str, Any]]) -> None:
    """For every timeout, the alarm's threshold is 70% of it, which is before the work ends."""
    thresholds = {int(seconds): row["Slow"] for seconds, row in application.mappings["Timeouts"].items()}
    assert list(thresholds) == application.parameters["Timeout"]["AllowedValues"]
    assert alarms["DurationAlarm"]["Threshold"] == {"Fn::FindInMap": ["Timeouts", {"Ref": "Timeout"}, "Slow"]}
    for seconds, milliseconds in thresholds.items():
        assert milliseconds == seconds * 700
        assert Deadline(seconds).left() > milliseconds / 1000


def test_the_dashboard_is_opt_in(application: Template) -> None:
    """There is no dashboard by default, because it can cost more than everything else."""
    assert application.resources["OperationsDashboard"]["Condition"] == "HasDashboard"
    assert application.conditions["HasDashboard"] == {"Fn::Equals": [{"Ref": "Dashboard"}, "true"]}
    assert application.parameters["Dashboard"]["Default"] == "false"


def test_the_dashboard_shows_every_alarm(widgets: list[dict[str, Any]], alarms: dict[str, dict[str, Any]]) -> None:
    """The dashboard shows the state of each alarm, and the metric of each one about requests."""
    [shown] = [widget["properties"]["alarms"] for widget in widgets if widget["type"] == "alarm"]
    assert sorted(shown) == sorted(f"{name}.Arn" for name in alarms)
    rows = [row for widget in widgets for row in widget["properties"].get("metrics", []) if len(row) > 1]
    assert {(row[0], row[1]) for row in rows} >= {
        (alarm["Namespace"], alarm["MetricName"]) for alarm in alarms.values() if "Dimensions" in alarm
    }


def test_no_widgets_overlap(widgets: list[dict[str, Any]]) -> None:
    """No two widgets overlap in the dashboard's grid of 24 columns."""
    fields = [
        (x, y) for w in widgets for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])
    ]
    assert len(fields) == len(set(fields))
    assert max(x for x, _ in fields) < 24


def test_the_dashboards_queries_match_the_log(
    widgets: list[dict[str, Any]], resource: Resource, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each query finds lines that the function writes and that have all fields of the query."""
    resource.create(Name="golden", Description="old", Distributions=[ami()])
    resource.update(Name="golden", Description="new", Distributions=[ami()])
    resource.update(Name="golden", Distributions=[{}])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    queries = [widget["properties"]["query"] for widget in widgets if widget["type"] == "log"]
    assert queries
    for query in queries:
        [message] = re.findall(r'filter message = "(.+)"', query)
        [shown] = re.findall(r"display (.+)", query)
        found = {path for line in lines if line["message"] == message for path in paths(line)}
        assert set(shown.replace("change.", "changes.").split(", ")) - {"@timestamp"} <= found


def paths(line: dict[str, Any]) -> set[str]:
    """Return the fields of a log line, and with a dot, the fields of its changes."""
    return {*line, *(f"changes.{name}" for change in line.get("changes", []) for name in change)}


def test_the_key_encrypts_all_stored_data(application: Template) -> None:
    """The log, the queue, and the environment use the key of the parameter; the queue is always encrypted."""
    key = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    properties = {name: one.get("Properties", {}) for name, one in application.resources.items()}
    assert properties["ProviderLogGroup"]["KmsKeyId"] == key
    assert properties["Unanswered"]["KmsMasterKeyId"] == key
    assert properties["Unanswered"]["SqsManagedSseEnabled"] == {"Fn::If": ["HasKmsKey", {"Ref": "AWS::NoValue"}, True]}
    functions = [one["Properties"] for one in application.resources.values() if one["Type"].endswith("::Function")]
    assert [one["KmsKeyArn"] for one in functions if "Environment" in one] == [key]


def test_the_functions_run_on_one_platform(application: Template) -> None:
    """Both functions have the same runtime and processor: by default Arm, which costs less; otherwise x86."""
    functions = [one["Properties"] for one in application.resources.values() if one["Type"].endswith("::Function")]
    assert {one["Runtime"] for one in functions} == {"python3.13"}
    assert [one["Architectures"] for one in functions] == [[{"Ref": "Architecture"}]] * 2
    declared = application.parameters["Architecture"]
    assert (declared["Default"], declared["AllowedValues"]) == ("arm64", ["arm64", "x86_64"])


def test_the_log_outlives_the_application(application: Template) -> None:
    """Deleting the application retains its log, under a name that does not conflict with the next deployment."""
    log = application.resources["ProviderLogGroup"]
    assert (log["DeletionPolicy"], log["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert "LogGroupName" not in log["Properties"]


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """The metadata for the Serverless Application Repository."""
    found: dict[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))["Metadata"]["AWS::ServerlessRepo::Application"]
    return found


def test_the_publication_matches_the_project(published: dict[str, Any]) -> None:
    """The version, license, and name of the publication are the project's, and its files exist."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    told = (published["Name"], published["SemanticVersion"], published["SpdxLicenseId"])
    assert told == (project["name"], __version__, project["license"])
    assert all((ROOT / published[name]).is_file() for name in ("LicenseUrl", "ReadmeUrl"))


@pytest.mark.parametrize("name", ["Name", "Description", "Author", "Labels"])
def test_the_publication_is_within_the_limits(published: dict[str, Any], name: str) -> None:
    """Each text of the publication satisfies the Serverless Application Repository's model."""
    model = botocore.session.Session().get_service_model("serverlessrepo")
    request = model.shape_for("CreateApplicationRequest")
    assert isinstance(request, StructureShape)
    told = request.members[name].documentation
    texts = published[name] if name == "Labels" else [published[name]]
    [longest] = re.findall(r"Maximum length=(\d+)", told)
    [pattern] = re.findall(r'Pattern:? "(.+?)";', told) or [".+"]
    assert all(len(text) <= int(longest) for text in texts)
    assert all(re.fullmatch(pattern.replace("\\\\", "\\"), text) for text in texts)
    assert len(texts) <= int((re.findall(r"Maximum number of labels: (\d+)", told) or ["1"])[0])


def test_the_lock_of_what_ships_has_no_markers() -> None:
    """No shipped requirement has a marker, because pip would evaluate it for the build machine."""
    pinned = [line for line in (ROOT / "provider/build/lambda.lock").read_text().splitlines() if "==" in line]
    assert pinned
    assert not [line for line in pinned if ";" in line]
