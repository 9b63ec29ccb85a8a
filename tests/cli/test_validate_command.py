"""`validate`: its output for people and programs, and its exit status."""

import json
from pathlib import Path

import pytest

from provider.cli.reports import FORMATS, Report
from provider.lint.diagnostic import Diagnostic
from provider.schema.finding import Severity
from provider.template.reader import Position, UnreadableError, read
from tests.cli.commands import EXAMPLES, command, process

GOOD = EXAMPLES / "golden-image.yaml"
BAD = """Resources:
  Golden:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:provider
      Name: golden
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration:
            Name: größe
          FastLaunchConfigurations:
            - {Enabled: true, MaxParallelLaunches: 2}
"""
OURS = "Resources: {A: {Type: Custom::ImageBuilderDistributionConfiguration, Properties: "
GOOD_PROPERTIES = "Name: golden, Distributions: [{Region: us-east-1, LicenseConfigurationArns: [!ImportValue License]}]"
NULL = "null values are not allowed in templates; remove the key, or use !Ref AWS::NoValue"
TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
TIMEOUT = "1:154 E3034 ServiceTimeout: must be a whole number of seconds from 1 to 3600, not "


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad, 100%.yaml"
    file.write_text(BAD, "utf-8")
    return file


def test_people_see_the_line(bad: Path) -> None:
    """The text of a finding has its file, line, column, severity, ID, and message, and the line with a caret."""
    ended = command("validate", bad)
    assert ended.status == 1
    assert ended.stdout.splitlines()[8:] == [
        f"{bad}:12:31: warning W9310: Distributions[0].FastLaunchConfigurations[0].MaxParallelLaunches: "
        "must be at least 6 (required by EC2), but is 2",
        "   12 |             - {Enabled: true, MaxParallelLaunches: 2}",
        "      |                               ^^^^^^^^^^^^^^^^^^^",
        "",
        "2 errors, 1 warning: 1 resource in 1 file.",
    ]


def test_there_is_no_color_in_a_pipe(bad: Path) -> None:
    """Piped output has no escape codes, and nothing but findings."""
    ended = process("validate", bad)
    assert (ended.status, ended.stderr) == (1, "")
    assert "\x1b" not in ended.stdout


@pytest.mark.parametrize(
    ("text", "arguments", "status"),
    [
        (GOOD.read_text("utf-8"), [], 0),
        (BAD, [], 1),
        (BAD.replace("größe", "x {{ imagebuilder:buildDate }}"), [], 0),
        (BAD.replace("größe", "x {{ imagebuilder:buildDate }}"), ["--strict"], 1),
        ("Resources: {}", [], 0),
        ("Resources: []", [], 2),
        ("Resources: {A: null}", [], 2),
        ("Hello: world", [], 2),
        ("", [], 2),
        ("- list", [], 2),
        ("a: b: c", [], 2),
        (BAD, ["--format", "xml"], 2),
        (BAD, ["missing.yaml"], 2),
    ],
)
def test_exit_status(text: str, arguments: list[str], status: int) -> None:
    """The status is 0 without errors, 1 with errors (--strict: or warnings), and 2 if a file cannot be checked."""
    assert command("validate", "-", *arguments, stdin=text).status == status


@pytest.mark.parametrize(
    ("template", "reported"),
    [
        ("Resources: [{}]", ["1:1 E0000 Resources: must be a mapping, not a list"]),
        ("Resources:", ["1:1 E0000 Resources: " + NULL]),
        ("Resources: {A: null}", ["1:13 E0000 A: " + NULL]),
        ("Resources: {A: [b]}", ["1:13 E0000 A: must be a mapping with Type and Properties, not a list"]),
        ("Resources: {A: {Type: 5}}", ["1:17 E3001 A.Type: is required and must be text"]),
        ("Resources: {A: {Typo: 5}}", ["1:17 E3001 A.Typo: did you mean Type?"]),
        (OURS + "[]}}", ["1:70 E3012 Properties: must be a mapping, not a list"]),
        (OURS + "abc}}", ['1:70 E3012 Properties: must be a mapping, not "abc"']),
        (
            OURS + f"{{{GOOD_PROPERTIES}}}}}}}",
            ["1:70 E3003 Properties: ServiceToken is required: the ARN of the provider's function"],
        ),
        (OURS + f"{{ServiceToken: {TOKEN}, ServiceTimeout: 5000, {GOOD_PROPERTIES}}}}}}}", [TIMEOUT + "5000"]),
        (OURS + f"{{ServiceToken: {TOKEN}, ServiceTimeout: soon, {GOOD_PROPERTIES}}}}}}}", [TIMEOUT + '"soon"']),
        (OURS + f"{{ServiceToken: {TOKEN}, ServiceTimeout: '3600', {GOOD_PROPERTIES}}}}}}}", []),
        (OURS + f"{{ServiceToken: {TOKEN}, ServiceTimeout: !ImportValue T, {GOOD_PROPERTIES}}}}}}}", []),
    ],
)
def test_structure_errors_have_the_ids_of_cfn_lint(template: str, reported: list[str]) -> None:
    """Errors outside the properties have the IDs of cfn-lint."""
    report = json.loads(command("validate", "--format", "json", "-", stdin=template).stdout)
    assert ["{line}:{column} {id} {message}".format_map(one) for one in report["findings"]] == reported


@pytest.mark.parametrize(
    ("text", "message"), [("", "is empty"), ("# a comment\n---\n", "is empty"), ("- a", "is neither")]
)
def test_files_without_anything_to_check(text: str, message: str) -> None:
    """An empty file, or one with anything else, is a finding."""
    (found,) = json.loads(command("validate", "--format", "json", "-", stdin=text).stdout)["findings"]
    assert (found["id"], found["message"][: len(message)]) == ("E0000", message)


def test_one_unreadable_file_does_not_hide_the_others(bad: Path, tmp_path: Path) -> None:
    """All files are checked, even if one cannot be read."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("Resources: [")
    ended = command("validate", "--format", "json", tmp_path / "missing", tmp_path, broken, bad, GOOD, GOOD)
    report = json.loads(ended.stdout)
    assert [one["id"] for one in report["findings"]] == [*["E0000"] * 3, "E9206", "E9307", "W9310"]
    assert [one["message"] for one in report["findings"][:2]] == [
        "cannot be read: No such file or directory",
        "cannot be read: Is a directory",
    ]
    assert (report["files"], report["resources"], report["errors"], report["warnings"]) == (5, 2, 5, 1)
    assert ended.status == 2


@pytest.mark.parametrize(
    "properties",
    [
        "Name: golden\nDistributions: [{Region: us-east-1, AmiDistributionConfiguration: {Name: golden}}]",
        '{"name": "golden",\n"distributions": [{"region": "us-east-1",\n'
        '\t"amiDistributionConfiguration": {"name": "g o"}}]}',
    ],
)
def test_properties_alone(properties: str) -> None:
    """A file can contain the properties of one resource, in YAML or JSON, in both spellings."""
    report = json.loads(command("validate", "--format", "json", "-", stdin=properties).stdout)
    assert [one["id"] for one in report["findings"]] == ["E9307"]
    assert report["findings"][0]["line"] == properties.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a:\n  b: c: d", 2, 7, "put quotes around a value that contains a colon and a space"),
        ("a: 1\nb: 2\na: 3", 3, 1, "the key 'a' is used twice"),
        ("Name: {{ imagebuilder:buildDate }}", 1, 8, "a key must be text; a value that begins with {{ needs quotes"),
        ("Name: {{ imagebuilder:buildDate }}-x", 1, 35, "a value that begins with {{ needs quotes"),
        ('{"a": 1,\n "b": }x', 2, 7, "is not JSON: a value is missing here, or it is text without double quotes"),
        ('{"a": 1,\n\t"b": [2],\n}', 2, 10, "is not JSON: remove the comma after the last entry"),
        ('{"a": 1,\n "a": 2}', 2, 2, "the key 'a' is used twice"),
        ("a: &a [x, x]\nb: [*a]", 2, 5, "CloudFormation does not support YAML aliases"),
        ("a: &a {x: 1}\nb: {<<: *a}", 2, 9, "CloudFormation does not support YAML aliases"),
        ("a: &a [*a]", 1, 8, "CloudFormation does not support YAML aliases"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document begins here; a template has only one"),
        ("a:\n    b: 1\n  c: 2", 3, 3, "the indentation of this key matches no key above it"),
        ("- a\nb: 1", 2, 1, "the indentation of this key matches no key above it"),
        ("a:\n  b: 1\n - c", 3, 2, "the indentation of this list entry matches no entry above it"),
        ("a: 'b' c", 1, 8, "the value ends before this text; put quotes around the whole value"),
        ('// a comment\n{"a": 1}', 1, 1, "is not JSON: JSON has no comments"),
        ('{\n  /* a comment */ "a": 1}', 2, 3, "is not JSON: JSON has no comments"),
        ("[" * 5000, 1, 1, "nested too deeply"),
        ("a: 1\nb: \x00", 2, 4, "a control character (#x00)"),
        ("a: 1\nb: !!int abc", 2, 4, "'abc' is not an integer"),
        ("a: !!bool abc", 1, 4, "'abc' is not a boolean"),
    ],
    ids=[
        *("mapping", "twice", "braces", "braces-and-text", "json", "comma", "json-twice", "alias", "merge", "circle"),
        *("documents", "key-deep", "key-shallow", "entry", "quotes", "comment", "comment-within"),
        *("deep", "control", "int", "bool"),
    ],
)
def test_syntax_errors_have_a_position(text: str, line: int, column: int, message: str) -> None:
    """A syntax error in YAML or JSON has its line and column, and a common one has a suggestion."""
    with pytest.raises(UnreadableError) as error:
        read(text.encode())
    assert (error.value.position.line, error.value.position.column) == (line, column)
    assert message in error.value.message


def test_files_that_are_not_utf_8() -> None:
    """A file that is not UTF-8 is reported as such."""
    with pytest.raises(UnreadableError, match="is not UTF-8 text"):
        read("Name: größe".encode("latin-1"))


def test_surrogate_pairs() -> None:
    """A surrogate pair in JSON is one character; half of one becomes a replacement character."""
    assert read(rb'{"\ud83d\ude00": "\ud83d\ude00", "half": "\ud83d"}').tree == {"😀": "😀", "half": "\ufffd"}


def test_short_forms_are_long_forms() -> None:
    """Functions in short form are read like their long form, with the positions of their arguments."""
    source = read(b"a: !If [C, !Ref P, !GetAtt A.B.C]\nb: !Sub text\nc: !Condition D\n2026-01-01: 0_x")
    choice = {"Fn::If": ["C", {"Ref": "P"}, {"Fn::GetAtt": ["A", "B.C"]}]}
    assert source.tree == {"a": choice, "b": {"Fn::Sub": "text"}, "c": {"Condition": "D"}, "2026-01-01": "0_x"}
    assert source.position(("a", "Fn::If", 2)) == Position(1, 20, 13)


def reported(file: str, message: str = "m") -> Diagnostic:
    return Diagnostic((), "E9307", Severity.ERROR, message, file=file, position=Position(3, 5, 4))


def test_github_annotations_are_escaped(bad: Path) -> None:
    """Percent signs, line breaks, commas, and colons are escaped in a workflow command."""
    report = Report(1, 1, (reported(file="a,b:c%.yaml", message="100%\r\nsure, yes: ::error::"),))
    assert FORMATS["github"](report) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=5,endColumn=9,title=E9307::100%25%0D%0Asure, yes: ::error::"
    )
    assert FORMATS["github"](Report(1, 1, ())) == ""


def test_a_template_without_provider_resources() -> None:
    """A template without resources of this provider is not an error, and the output says that there are none."""
    ended = command("validate", "-", stdin="Resources: {Topic: {Type: AWS::SNS::Topic}}")
    assert (ended.status, ended.stdout) == (0, "No resources of this provider found in 1 file.\n")
