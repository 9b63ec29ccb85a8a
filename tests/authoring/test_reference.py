"""The reference page is complete, up to date, and correct."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from provider.authoring.block import lines
from provider.authoring.documentation import description, first_sentence, limits, type_name
from provider.authoring.reference import page
from provider.cli.native_schema import native_members, native_schema
from provider.lint.catalog import CHECKS
from provider.resources import resource_type
from provider.schema.account_sources import ACCOUNT_SOURCE
from provider.schema.model import DEFAULTS, PROVIDER_PROPERTIES, REFUSED, Schema, operation, pascal_case
from provider.schema.return_values import ATTRIBUTES
from provider.schema.rules import RULES
from provider.schema.validation import validate
from tests.docs.page import anchors, headings
from tests.stack import Resource, ami

GOLDEN = Path(__file__).parents[2] / "docs" / "reference" / "distribution-configuration.md"


@pytest.fixture(scope="module")
def result() -> str:
    checks = {check.rule: f"{check.id}: {check.title}" for check in CHECKS.values()}
    return page(native_members(native_schema()), checks)


def places(part: Schema, path: str = "") -> Iterator[tuple[Schema, str, str]]:
    for name, member in part.members.items():
        here = f"{path}.{pascal_case(name)}".lstrip(".")
        yield part, name, here
        while member.type_name == "list" and member.item is not None:
            member, here = member.item, f"{here}[]"
        yield from places(member, here)


def section(result: str, heading: str) -> str:
    found = re.search(rf"^##+ `{re.escape(heading)}`\n(.*?)(?=^##+ |\Z)", result, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def test_the_copy_is_up_to_date(result: str) -> None:
    """The page in docs/reference is what `make docs` generates from the pinned botocore and cfn-lint."""
    assert GOLDEN.read_text() == result


def test_every_property_has_its_section(result: str) -> None:
    """Each property has a section with the API's text, its limits, values, and default, and whether it is required."""
    for structure, name, path in places(resource_type().schema):
        part, text = structure.members[name], section(result, path)
        assert description(structure, name) in text
        assert limits(part) in text
        assert all(f"`{value}`" in text for value in part.enum)
        assert part.pattern is None or part.pattern in text
        assert ("- Required" in text) == (name in structure.required), path
        assert ("Default:" in text) == ((structure.shape, name) in DEFAULTS)


def test_every_rule_is_on_the_page(result: str) -> None:
    """Each rule of the service is listed with its severity under the property that it checks."""
    for rule in RULES:
        path = ".".join(pascal_case(name) for name in rule.path.split("."))
        text = section(result, path.removesuffix("[]")) if path else result.partition("## Arguments")[2]
        check = next(check for check in CHECKS.values() if check.rule == rule.id)
        assert f"{check.id}: {check.title} ({rule.severity.value};" in text


def test_properties_that_the_native_resource_lacks_are_marked(result: str) -> None:
    """The page marks S3 export as the only property that the native resource lacks."""
    lacking = [
        path for *_, path in places(resource_type().schema) if "The native resource lacks it" in section(result, path)
    ]
    ours = {"DistributionConfigurationArn", *map(pascal_case, PROVIDER_PROPERTIES)}
    assert {path.partition(".")[2].partition(".")[0] for path in lacking if path not in ours} == {
        "S3ExportConfiguration"
    }
    launch = section(result, "Distributions[].AmiDistributionConfiguration.LaunchPermission")
    assert "Native: `LaunchPermissionConfiguration`" in launch


def test_unsupported_members_are_on_the_page(result: str) -> None:
    """A member of the API that is not a property is on the page with the reason."""
    for name, why in REFUSED.items():
        assert why in section(result, pascal_case(name))


def test_the_examples_are_valid(result: str) -> None:
    """The example of each structure is YAML that the model accepts, and its members do not exclude each other."""
    seen = 0
    for structure, name, path in places(resource_type().schema):
        part: Schema = structure.members[name]
        while part.type_name == "list" and part.item is not None:
            part = part.item
        if part.type_name == "structure":
            example = yaml.safe_load(section(result, path).partition("```yaml\n")[2].partition("```")[0])
            value = example[pascal_case(name)]
            parameters = by_api_names(value, structure.members[name])
            assert validate(parameters, structure.members[name]) == []
            assert "LaunchTemplateName" not in str(value) or path.endswith("launchTemplateName")
            seen += 1
    properties, sources = result.partition("## Attributes\n")[0].split("## Account sources\n")
    assert seen == properties.count("```yaml") - 1
    examples = [yaml.safe_load(text.partition("```")[0]) for text in sources.split("```yaml\n")[1:]]
    assert [*map(len, examples)] == [1, 1]
    for (example,) in examples:
        assert validate(by_api_names(example, ACCOUNT_SOURCE), ACCOUNT_SOURCE) == []


def by_api_names(value: Any, part: Schema) -> Any:
    if part.type_name == "structure":
        return {
            part.spellings[name]: by_api_names(one, part.members[part.spellings[name]]) for name, one in value.items()
        }
    if part.type_name == "list" and part.item is not None:
        return [by_api_names(one, part.item) for one in value]
    return value


def test_attributes_are_those_that_the_handler_returns(resource: Resource) -> None:
    """The page lists the attributes that the handler returns for `Fn::GetAtt`."""
    assert set(ATTRIBUTES) == set(resource.create(Name="golden", Distributions=[ami()]).data)


def test_links_have_anchors(result: str) -> None:
    """Each link within the page has exactly one anchor."""
    assert len(headings(GOLDEN)) == len(anchors(GOLDEN))
    assert set(re.findall(r"\]\(#([^)]+)\)", result)) <= anchors(GOLDEN)


def test_required_arguments_come_first(result: str) -> None:
    """In each table of arguments, those that are required come before the others."""
    tables = re.findall(r"^\| argument .*\n\|.*\n((?:\|.*\n)+)", result, re.MULTILINE)
    assert len(tables) > 5
    for table in tables:
        required = [bool(line.split("|")[3].strip()) for line in table.splitlines()]
        assert required == sorted(required, reverse=True)


def test_documentation_becomes_markdown() -> None:
    """Links, code, emphasis, and lists of the API's documentation become Markdown, without remaining tags."""
    members = operation("UpdateDistributionConfiguration").members["distributions"].item
    assert members is not None
    export = members.members["s3ExportConfiguration"]
    assert "formats:\n- **Virtual Hard Disk (VHD)** " in description(export, "diskImageFormat")
    message = [description(structure, name) for structure, name, _ in places(resource_type().schema)]
    assert not [text for text in message if re.search(r"</?\w+>", text)]
    assert any(re.search(r"\[[^]]+\]\(https://[^)]+\)", text) for text in message)


def test_a_first_sentence_is_plain() -> None:
    """A first sentence has no links or emphasis, and ends at the end of the sentence."""
    assert first_sentence("See [What is it?](https://a.b/c). More.") == "See What is it?."
    assert first_sentence("**Owns** a `name` of\n its own. And so on") == "Owns a name of its own."


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Schema("string", "A", minimum=1, maximum=127), "1 to 127 characters"),
        (Schema("string", "A", maximum=1), "at most 1 character"),
        (Schema("list", "A", minimum=1), "at least 1 entry"),
        (Schema("integer", "A", minimum=1, maximum=2**31 - 1), "at least 1"),
        (Schema("integer", "A", minimum=-(2**31), maximum=2**31 - 1), ""),
        (Schema("boolean", "A"), ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_limits_in_words(part: Schema, message: str) -> None:
    """Limits are in characters, entries, or units; the range of the integer type is not a limit."""
    assert limits(part) == message


def test_types_in_words() -> None:
    """The type of a list or map includes the type of its entries."""
    text = Schema("string", "A")
    assert type_name(Schema("list", "B", item=Schema("structure", "C"))) == "list of mappings"
    assert type_name(Schema("map", "B", key=text, item=text)) == "map of strings"


@pytest.mark.parametrize(
    "value",
    ["a b", "12", "012345678901", "true", "No", "a: b", "a #b", "- a", "{{ a }}", "", " a", "a ", "'a'", '"', "a\nb",
     "2026-01-01", "1.10", "!Ref a", "*a", "ünïcode", "a:", "@a", "null", "~", "y", [], {}, True, 3],
    ids=repr,
)  # fmt: skip
def test_yaml_keeps_every_value(value: object) -> None:
    """A rendered value is read back unchanged, with its type."""
    for whole in ({"a": value, "b": [value, {"c": value}]}, [value, value]):
        assert yaml.safe_load("\n".join(lines(whole))) == whole
