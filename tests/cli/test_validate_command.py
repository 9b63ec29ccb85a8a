"""`validate`: what people and programs read, and how it ends."""

import json
from pathlib import Path

import pytest

from provider.cli.reports import FORMATS, Report, Told
from provider.cli.source import Place, UnreadableError, read
from provider.lint.catalog import CHECKS
from tests.cli.commands import EXAMPLES, command, process

GOOD = EXAMPLES / "golden-image.yaml"
BAD = """Resources:
  Golden:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      Name: golden
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration:
            Name: größe
          FastLaunchConfigurations:
            - {Enabled: true, MaxParallelLaunches: 2}
"""


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad, 100%.yaml"
    file.write_text(BAD, "utf-8")
    return file


def test_people_see_the_line(bad: Path) -> None:
    """For people, a finding is its file, line and column, its severity, ID and words, and the line with a caret."""
    ended = command("validate", bad)
    assert ended.status == 1
    assert ended.stdout.splitlines()[8:] == [
        f"{bad}:11:31: warning W9310: Distributions[0].FastLaunchConfigurations[0].MaxParallelLaunches: "
        "EC2 refuses fewer than 6 parallel launches, this is 2",
        "   11 |             - {Enabled: true, MaxParallelLaunches: 2}",
        "      |                               ^^^^^^^^^^^^^^^^^^^",
        "",
        "2 errors, 1 warning: 1 resource in 1 file.",
    ]


def test_there_is_no_color_in_a_pipe(bad: Path) -> None:
    """What is piped has no escape codes, and nothing but findings is said."""
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
        ("Hello: world", [], 2),
        ("", [], 2),
        ("- list", [], 2),
        ("a: b: c", [], 2),
        (BAD, ["--format", "xml"], 2),
        (BAD, ["missing.yaml"], 2),
    ],
)
def test_exit_status(text: str, arguments: list[str], status: int) -> None:
    """It ends with 0 where there are no errors, 1 where there are (strictly: warnings), 2 where it cannot tell."""
    assert command("validate", "-", *arguments, stdin=text).status == status


def test_one_unreadable_file_does_not_hide_the_others(bad: Path, tmp_path: Path) -> None:
    """All files are looked at, whatever is wrong with one."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("Resources: [")
    report = json.loads(command("validate", "--format", "json", broken, bad, GOOD, GOOD).stdout)
    assert [one["id"] for one in report["findings"]] == ["E0000", "E9206", "E9307", "W9310"]
    assert (report["files"], report["resources"], report["errors"], report["warnings"]) == (3, 2, 3, 1)


@pytest.mark.parametrize(
    "properties",
    [
        "Name: golden\nDistributions: [{Region: us-east-1, AmiDistributionConfiguration: {Name: golden}}]",
        '{"name": "golden",\n"distributions": [{"region": "r",\n\t"amiDistributionConfiguration": {"name": "g o"}}]}',
    ],
)
def test_properties_alone(properties: str) -> None:
    """A file may hold the properties of one resource, in YAML or JSON, in either spelling."""
    report = json.loads(command("validate", "--format", "json", "-", stdin=properties).stdout)
    assert [one["id"] for one in report["findings"]] == ["E9307"]
    assert report["findings"][0]["line"] == properties.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a:\n  b: c: d", 2, 7, "mapping values are not allowed here"),
        ("a: 1\nb: 2\na: 3", 3, 1, "'a' is there twice"),
        ("Name: {{ imagebuilder:buildDate }}", 1, 8, "a key must be text; a value that begins with {{ needs quotes"),
        ("Name: {{ imagebuilder:buildDate }}-x", 1, 35, "a value that begins with {{ needs quotes"),
        ('{"a": 1,\n "b": }x', 2, 8, "expected"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n" + "c: *c", 3, 4, "undefined alias"),
        ("[" * 5000, 1, 1, "nested too deeply"),
        ("a: &a [*a]", 1, 1, "nested too deeply"),
        ("a: 1\nb: \x00", 2, 4, "a control character (#x00)"),
        ("a: &a [" + "x," * 600 + "]\nb: [" + "*a," * 600 + "]", 1, 1, "aliases unfold to more than 250,000 values"),
    ],
    ids=["mapping", "twice", "braces", "braces-and-text", "json", "alias", "deep", "circle", "control", "laughs"],
)
def test_what_cannot_be_read_has_a_place(text: str, line: int, column: int, message: str) -> None:
    """A mistake of YAML or JSON is told with its line and column, and with a cure where there is a usual one."""
    with pytest.raises(UnreadableError) as error:
        read(text.encode())
    assert (error.value.place.line, error.value.place.column) == (line, column)
    assert message in str(error.value)


def test_bytes_that_are_no_text() -> None:
    """A file that is not UTF-8 is told as such."""
    with pytest.raises(UnreadableError, match="is not UTF-8 text"):
        read("Name: größe".encode("latin-1"))


def test_aliases_stand_for_what_they_name() -> None:
    """Anchors and merge keys are read as the tools do that resolve them before a deployment."""
    source = read(b"a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a")
    assert source.tree == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}


def test_short_forms_are_long_forms() -> None:
    """Functions in short form are read as their long form, with the places of what is in them."""
    source = read(b"a: !If [C, !Ref P, !GetAtt A.B.C]\nb: !Sub text\nc: !Condition D\n2026-01-01: 0_x")
    choice = {"Fn::If": ["C", {"Ref": "P"}, {"Fn::GetAtt": ["A", "B.C"]}]}
    assert source.tree == {"a": choice, "b": {"Fn::Sub": "text"}, "c": {"Condition": "D"}, "2026-01-01": "0_x"}
    assert source.place(("a", "Fn::If", 2)) == Place(1, 20, 13)


def told(file: str, message: str = "m") -> Told:
    return Told(file, Place(3, 5, 4), "error", "E9307", message)


def test_github_s_annotations_are_escaped(bad: Path) -> None:
    """Percent signs, line ends, commas and colons do not break out of a workflow command."""
    report = Report(1, 1, (told(file="a,b:c%.yaml", message="100%\r\nsure, yes: ::error::"),))
    assert FORMATS["github"](report) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=5,endColumn=9,title=E9307::100%25%0D%0Asure, yes: ::error::"
    )
    assert FORMATS["github"](Report(1, 1, ())) == ""


def test_sarif(bad: Path) -> None:
    """The SARIF log names the tool's rules, and each result its rule, level, words and region."""
    log = json.loads(command("validate", "--format", "sarif", bad).stdout)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert (log["version"], run["columnKind"]) == ("2.1.0", "unicodeCodePoints")
    assert {rule["id"] for rule in rules} == {*CHECKS, "E0000"}
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("E9206", "error"),
        ("E9307", "error"),
        ("W9310", "warning"),
    ]
    for result in run["results"]:
        (location,) = result["locations"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == bad.as_uri()
        assert result["message"]["text"].startswith("Distributions[0]")
    assert run["results"][2]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 11,
        "startColumn": 31,
        "endColumn": 50,
    }


def test_a_relative_file_stays_relative() -> None:
    """A file within the checkout is a relative URI, so that code scanning finds it."""
    log = json.loads(FORMATS["sarif"](Report(1, 1, (told(file="my stacks/größe.yaml"),))))
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "my%20stacks/gr%C3%B6%C3%9Fe.yaml"}
