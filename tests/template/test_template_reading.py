"""Templates are read as in CloudFormation, and mistakes are rejected with their position or path."""

import json
from pathlib import Path
from typing import Any

import pytest

from provider.template.reader import UnreadableError, read_text
from provider.template.sections import TemplateError, load, parse


def properties(body: str) -> object:
    """The value of the property P of the only resource."""
    text = f"Resources:\n  A:\n    Type: T\n    Properties:\n      P: {body}\n"
    return parse(text, "t.yaml").resources["A"]["Properties"]["P"]


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("!Ref B", {"Ref": "B"}),
        ("!Sub '${B}'", {"Fn::Sub": "${B}"}),
        ("!Sub ['${x}', {x: !Ref B}]", {"Fn::Sub": ["${x}", {"x": {"Ref": "B"}}]}),
        ("!GetAtt B.Outputs.C", {"Fn::GetAtt": ["B", "Outputs.C"]}),
        ("!GetAtt [B, C]", {"Fn::GetAtt": ["B", "C"]}),
        ("!If [C, !Ref B, !Ref AWS::NoValue]", {"Fn::If": ["C", {"Ref": "B"}, {"Ref": "AWS::NoValue"}]}),
        ("!Join [',', [a, b]]", {"Fn::Join": [",", ["a", "b"]]}),
        ("!Condition C", {"Condition": "C"}),
        ("!Transform {Name: AWS::Include}", {"Fn::Transform": {"Name": "AWS::Include"}}),
    ],
)
def test_short_form_tags(short: str, full: object) -> None:
    """A short-form tag is read as the full function."""
    assert properties(short) == full


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2010-09-09", "2010-09-09"),
        ("012345678901", "012345678901"),
        ("yes", True),
        ("0x" + "f" * 9, 0xFFFFFFFFF),
        ("1.10", 1.1),
        ("'1.10'", "1.10"),
        ("{1: a, true: b}", {"1": "a", "true": "b"}),
    ],
)
def test_plain_scalars(text: str, value: object) -> None:
    """Scalars are those of YAML 1.1, except that dates and keys are text."""
    assert properties(text) == value


def test_json_and_byte_order_mark(tmp_path: Path) -> None:
    """JSON has its own rules, and a byte order mark is ignored."""
    file = tmp_path / "t.json"
    file.write_text('\ufeff{"Resources": {"A": {"Type": "T"}}}', "utf-8")
    assert load(file).resources == {"A": {"Type": "T"}}
    assert load(file).name == "t.json"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources:\n  A: {Type: [", "is not YAML: line 2, column 14"),
        ("Resources:\n  A: {Type: T}\n  A: {Type: T}", "line 3, column 3: the key 'A' is used twice"),
        ("Resources:\n\tA: 1", "is not YAML: line 2"),
        ("Resources:\n  A: &a {Type: T}\n  B: *a", "line 3, column 6: CloudFormation does not support YAML aliases"),
        ("Resources: {[a]: 1}", "a key must be text"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document begins here"),
        ('{"Resources": }', "is not JSON: line 1, column 15"),
        ("Resources:\n  A: {Type: 'T\0'}", "is not YAML: line 2, column 15: a control character (#x00)"),
        ("Resources:\n  A: {Type: !!int abc}", "line 2, column 13: 'abc' is not an integer"),
        ("Resources:\n  A: {Type: !!bool ''}", "line 2, column 13: '' is not a boolean"),
        ("Resources: !!map [A]", "line 1, column 12: this is not a map"),
        ("Resources: {A: {Type: 0x_}}", "'0x_' is not an integer; text needs quotes"),
        ("Resources: {A: {Type: 0x" + "f" * 5000 + "}}", "is not an integer; text needs quotes"),
        ('{"Resources": {\n\t"A": {}, "A": {}}}', "is not JSON: line 2, column 11: the key 'A' is used twice"),
        ('{"Resources": ' + "9" * 5000 + "}", "is not JSON"),
        ("", "has no Resources section"),
        ("[]", "has no Resources section"),
        ("Parameters: {}", "has no Resources section"),
        ("Resources: []", "Resources: must be a mapping"),
        ("Resources: {A: text}", 'Resources.A: must be a mapping with Type and Properties, not "text"'),
        ("Resources: {A: {Type: 1}}", "Resources.A.Type: is required"),
        ("Resources: {A: {Type: T}}\nOutput: {}", "unknown section Output"),
        (
            "Resources: {'Fn::ForEach::X': []}",
            "Resources.Fn::ForEach::X: only CloudFormation can expand Fn::ForEach::X",
        ),
        (
            "Resources: {A: {Type: T, Properties: {Tags: {'Fn::ForEach::X': [], B: 1}}}}",
            "Resources.A.Properties.Tags.Fn::ForEach::X: only CloudFormation can expand Fn::ForEach::X; use the "
            "processed template: create a change set, then `aws cloudformation get-template --change-set-name ",
        ),
        ("Resources: {'Fn::Transform': {}}", "Resources.Fn::Transform: only CloudFormation can expand Fn::Transform"),
        (
            "Resources:\n  A:\n    Name: {{ imagebuilder:buildDate }}",
            "line 3, column 12: a key must be text; a value that begins with {{ needs quotes",
        ),
        ("Resources: {My-Images: {Type: T}}", "Resources.My-Images: a logical ID has only letters and digits"),
        (
            "Resources: {A: {Type: T}}\nOutputs: {a_b: {Value: 1}}",
            "Outputs.a_b: a logical ID has only letters and digits",
        ),
        ("Resources: {A: {Type: T, Propertys: {}}}", "Resources.A.Propertys: did you mean Properties?"),
        ("Resources: {A: {type: T}}", "Resources.A.type: did you mean Type?"),
        ("Resources: {A: {Type: T, Name: a}}", "Resources.A.Name: unknown key; the keys are"),
        ("Resources: {A: {Type: T, Name: a}}", "Put properties under Properties"),
        ("Resources: {A: {Type: T, Properties: {B: [{}, null]}}}", "Resources.A.Properties.B[1]: null values are not"),
        (
            "Resources: {A: null}",
            "null values are not allowed in templates; remove the key, or use !Ref AWS::NoValue",
        ),
        ("Resources: " + "[" * 100 + "]" * 100, "is nested too deeply"),
        ("[" * 9000, "is nested too deeply"),
        ("[" * 200_000, "is nested too deeply"),
        ("- " * 200_000, "is nested too deeply"),
        ("{" + '"a":{' * 200_000, "is nested too deeply"),
    ],
)
def test_unreadable_templates(text: str, message: str) -> None:
    """A text that is not a template is rejected with the line or path."""
    with pytest.raises(TemplateError) as caught:
        parse(text, "t")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


COLON = "the key on this line needs a colon and a space after it"
SHORT_FORMS = "two short forms cannot follow each other; write the outer one in long form, as "


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("A:\n\tB: 1", (2, 1), "a tab cannot indent YAML; use spaces"),
        ("A:\n  B: 1\n  \tC: 1", (3, 3), "a tab cannot indent YAML; use spaces"),
        ("A: @b", (1, 4), "a value that begins with @ needs quotes"),
        ("A: *", (1, 4), "a value that begins with * or & needs quotes"),
        ("A: b: c", (1, 5), "put quotes around a value that contains a colon and a space"),
        ("A: 'b\nC: d", (1, 4), "the closing quote is missing"),
        ("A: 'b' c", (1, 8), "the value ends before this text; put quotes around the whole value"),
        ('A: "b\\d"', (1, 7), r"write a backslash in double quotes as \\, or use single quotes"),
        ("A: [b\nC: d", (1, 4), "the closing ] is missing"),
        ("A: {B: [c], 'd' 'e'}", (1, 17), "a comma or } is missing before this text"),
        ("A: [b,, c]", (1, 7), "a value is missing before this ,"),
        ("A: b\n  C: d", (2, 3), "the indentation of this key matches no key above it"),
        ("A\n  B: c", (1, 1), COLON),
        ("A:\n  B\n    C: d", (2, 3), COLON),
        ("A:\n  B: c\n  C\n\n    D: e", (3, 3), COLON),
        ("A:\n  B c\n  C: d", (2, 3), COLON),
        ("A:\n  B:c\n  C: d", (2, 3), COLON),
        ("A:\n  - B c\n    C: d", (2, 5), COLON),
        ("A: b\nC d", (2, 1), COLON),
        ("A: !Sub'${B}'", (1, 4), "put a space after !Sub"),
        ("A: !Sub'b'", (1, 4), "put a space after !Sub"),
        ('A: !Ref"B"', (1, 4), "put a space after !Ref"),
        ("A: [!If[B, c, d]]", (1, 5), "put a space after !If"),
        ('A: !Join["", []]', (1, 4), "put a space after !Join"),
        ("A: !Sub !Ref B", (1, 9), f"{SHORT_FORMS}Fn::Sub:"),
        ("A: [!Base64 !Sub b]", (1, 13), f"{SHORT_FORMS}Fn::Base64:"),
        ('{"A": 1,\n}', (1, 8), "remove the comma after the last entry"),
        ('{"A": [1 ,\n\n]}', (1, 10), "remove the comma after the last entry"),
        ('{"A": 1\n"B": 2}', (1, 7), "a comma is missing after this value"),
        ('{"A"\n1}', (1, 4), "a colon is missing after this key"),
        ("{'A': 1}", (1, 2), "a key must be in double quotes"),
        ('{"A": b}', (1, 7), "a value is missing here, or it is text without double quotes"),
        ('{"A": 1}}', (1, 9), "the template ends before this text; remove the text"),
        ('{"A": {"B": 1}', (1, 15), "a closing } or ] is missing at the end"),
        ('{"A": "b}', (1, 7), "the closing quote of this text is missing"),
        ('{"A": "b\n"}', (1, 9), r"write a line break in text as \n, and a tab as \t"),
        ('{"A": "b\\d"}', (1, 9), r"write a backslash in text as \\"),
        ('{"A": 1, // b\n}', (1, 10), "JSON has no comments"),
    ],
)
def test_a_syntax_error_says_how_to_correct_it(text: str, position: tuple[int, int], message: str) -> None:
    """A syntax error is one sentence with the remediation, at the line and column to correct."""
    with pytest.raises(UnreadableError) as caught:
        read_text(text)
    assert caught.value.message.removeprefix("is not JSON: ") == message
    assert (caught.value.position.line, caught.value.position.column) == position


def test_all_mistakes_are_reported() -> None:
    """An error contains all mistakes in a template's structure, from top to bottom, each once."""
    resources: dict[str, Any] = {
        "A": {"type": "T", "Properties": {"B": None}},
        "B": None,
        "C": {"Type": "T", "Name": "c", "DependOn": "A"},
        "D": {"Properties": {}},
        "E": "text",
    }
    with pytest.raises(TemplateError) as caught:
        parse(json.dumps({"Resources": resources}), "t.json")
    assert [str(one).partition(";")[0] for one in caught.value.all] == [
        "Resources.A.Properties.B: null values are not allowed in templates",
        "Resources.B: null values are not allowed in templates",
        "Resources.A.type: did you mean Type?",
        "Resources.C.Name: unknown key",
        "Resources.C.DependOn: did you mean DependsOn?",
        "Resources.D.Type: is required and must be text",
        'Resources.E: must be a mapping with Type and Properties, not "text"',
    ]


def test_maximum_of_resources() -> None:
    """A template can have at most 500 resources."""
    kinds = {f"A{number}": {"Type": "T"} for number in range(501)}
    with pytest.raises(TemplateError, match="has 501 resources; a template can have at most 500"):
        parse(json.dumps({"Resources": kinds}), "t")
    del kinds["A0"]
    assert len(parse(json.dumps({"Resources": kinds}), "t").resources) == 500


def test_keys_of_a_transform() -> None:
    """With a transform, a resource can have keys of the transform."""
    assert parse("Transform: T\nResources: {A: {Type: T, Connectors: {}}}", "t").transformed


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, or one that is not text, is rejected as such."""
    with pytest.raises(TemplateError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TemplateError, match="is not UTF-8 text"):
        load(tmp_path / "binary.yaml")
