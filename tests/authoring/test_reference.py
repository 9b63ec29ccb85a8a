"""The reference page: complete, fresh, and true."""

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
from provider.schema.attributes import ATTRIBUTES
from provider.schema.model import DEFAULTS, PROVIDER_PROPERTIES, REFUSED, Type, operation, pascal_case
from provider.schema.rules import RULES
from provider.schema.validate import validate
from tests.stack import Resource, ami

GOLDEN = Path(__file__).parents[2] / "docs" / "reference.md"


@pytest.fixture(scope="module")
def made() -> str:
    checks = {check.rule: f"{check.id}: {check.title}" for check in CHECKS.values()}
    return page(native_members(native_schema()), checks)


def places(type_: Type, path: str = "") -> Iterator[tuple[Type, str, str]]:
    for name, member in type_.members.items():
        here = f"{path}.{pascal_case(name)}".lstrip(".")
        yield type_, name, here
        while member.kind == "list" and member.item is not None:
            member, here = member.item, f"{here}[]"
        yield from places(member, here)


def section(made: str, heading: str) -> str:
    found = re.search(rf"^##+ `{re.escape(heading)}`\n(.*?)(?=^<a id|^## |\Z)", made, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def test_the_golden_page_is_fresh(made: str) -> None:
    """docs/reference.md is what the pinned botocore and cfn-lint give; `make docs` writes it anew."""
    assert GOLDEN.read_text() == made


def test_every_property_has_its_section(made: str) -> None:
    """Each property is there with the API's words, its limits, its values, its default, and whether it is required."""
    for structure, name, path in places(resource_type().schema):
        type_, text = structure.members[name], section(made, path)
        assert description(structure, name) in text
        assert limits(type_) in text
        assert all(f"`{value}`" in text for value in type_.enum)
        assert type_.pattern is None or type_.pattern in text
        assert ("- Required" in text) == (name in structure.required), path
        assert ("Default:" in text) == ((structure.shape, name) in DEFAULTS)


def test_every_rule_is_on_the_page(made: str) -> None:
    """Each rule of the service's own stands under the property that it looks at, with its severity."""
    for rule in RULES:
        path = ".".join(pascal_case(name) for name in rule.path.split("."))
        text = section(made, path.removesuffix("[]")) if path else made[made.index("## The resource") :]
        check = next(check for check in CHECKS.values() if check.rule == rule.id)
        assert f"{check.id}: {check.title} ({rule.severity.value};" in text


def test_what_the_native_resource_lacks_is_said(made: str) -> None:
    """Of the API's fields, S3 export is the one that the native resource does not have so far; the page says so."""
    lacking = [
        path for *_, path in places(resource_type().schema) if "The native resource lacks it" in section(made, path)
    ]
    ours = {"DistributionConfigurationArn", *map(pascal_case, PROVIDER_PROPERTIES)}
    assert {path.partition(".")[2].partition(".")[0] for path in lacking if path not in ours} == {
        "S3ExportConfiguration"
    }
    launch = section(made, "Distributions[].AmiDistributionConfiguration.LaunchPermission")
    assert "Native: `LaunchPermissionConfiguration`" in launch


def test_what_is_refused_is_on_the_page(made: str) -> None:
    """A member of the API that is no property is there with the reason."""
    for name, why in REFUSED.items():
        assert why in section(made, pascal_case(name))


def test_the_examples_are_valid(made: str) -> None:
    """Each structure's example is YAML that the model accepts, and no two of its members exclude each other."""
    seen = 0
    for structure, name, path in places(resource_type().schema):
        type_: Type = structure.members[name]
        while type_.kind == "list" and type_.item is not None:
            type_ = type_.item
        if type_.kind == "structure":
            example = yaml.safe_load(section(made, path).partition("```yaml\n")[2].partition("```")[0])
            value = example[pascal_case(name)]
            parameters = by_api_names(value, structure.members[name])
            assert validate(parameters, structure.members[name]) == []
            assert "LaunchTemplateName" not in str(value) or path.endswith("launchTemplateName")
            seen += 1
    assert seen == made.count("```yaml") - 1


def by_api_names(value: Any, type_: Type) -> Any:
    if type_.kind == "structure":
        return {
            type_.spellings[name]: by_api_names(one, type_.members[type_.spellings[name]])
            for name, one in value.items()
        }
    if type_.kind == "list" and type_.item is not None:
        return [by_api_names(one, type_.item) for one in value]
    return value


def test_the_attributes_are_those_that_the_handler_answers(resource: Resource) -> None:
    """`Fn::GetAtt` on the page is what CloudFormation is told."""
    assert set(ATTRIBUTES) == set(resource.create(Name="golden", Distributions=[ami()]).data)


def test_links_on_the_page_lead_somewhere(made: str) -> None:
    """Each link within the page has its anchor, once."""
    anchors = re.findall(r'<a id="([^"]+)">', made)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", made)) <= set(anchors)


def test_documentation_becomes_markdown() -> None:
    """Links, code, emphasis and lists of the API's documentation are Markdown; no tag is left."""
    members = operation("UpdateDistributionConfiguration").members["distributions"].item
    assert members is not None
    export = members.members["s3ExportConfiguration"]
    assert "formats:\n- **Virtual Hard Disk (VHD)** " in description(export, "diskImageFormat")
    said = [description(structure, name) for structure, name, _ in places(resource_type().schema)]
    assert not [text for text in said if re.search(r"</?\w+>", text)]
    assert any(re.search(r"\[[^]]+\]\(https://[^)]+\)", text) for text in said)


def test_a_first_sentence_is_plain() -> None:
    """A first sentence has no links and no emphasis, and ends where the sentence does."""
    assert first_sentence("See [What is it?](https://a.b/c). More.") == "See What is it?."
    assert first_sentence("**Owns** a `name` of\n its own. And so on") == "Owns a name of its own."


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        (Type("string", "A", minimum=1, maximum=127), "1 to 127 characters"),
        (Type("string", "A", maximum=1), "at most 1 character"),
        (Type("list", "A", minimum=1), "at least 1 entry"),
        (Type("integer", "A", minimum=1, maximum=2**31 - 1), "at least 1"),
        (Type("integer", "A", minimum=-(2**31), maximum=2**31 - 1), ""),
        (Type("boolean", "A"), ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_limits_in_words(type_: Type, said: str) -> None:
    """A type's limits count characters, entries or units; what an integer can hold anyway is none."""
    assert limits(type_) == said


def test_kinds_in_words() -> None:
    """Lists and maps say what they hold."""
    text = Type("string", "A")
    assert type_name(Type("list", "B", item=Type("structure", "C"))) == "list of mappings"
    assert type_name(Type("map", "B", key=text, item=text)) == "map of strings"


@pytest.mark.parametrize(
    "value",
    ["a b", "12", "012345678901", "true", "No", "a: b", "a #b", "- a", "{{ a }}", "", " a", "a ", "'a'", '"', "a\nb",
     "2026-01-01", "1.10", "!Ref a", "*a", "ünïcode", "a:", "@a", "null", "~", "y", [], {}, True, 3],
    ids=repr,
)  # fmt: skip
def test_yaml_keeps_every_value(value: object) -> None:
    """A value is read back from a block as it was, with its type."""
    for whole in ({"a": value, "b": [value, {"c": value}]}, [value, value]):
        assert yaml.safe_load("\n".join(lines(whole))) == whole
