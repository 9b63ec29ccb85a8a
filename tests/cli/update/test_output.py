"""The output formats, compared with the AWS CLI's own formatters, and for YAML with its documentation."""

import io
import json
from argparse import Namespace
from typing import Any

import pytest
import yaml
from awscli.formatter import get_formatter
from hypothesis import assume, example, given
from hypothesis import strategies as st

from provider.cli.awscli.output_formats import FORMATS, render

ANSWER = {
    "requestId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
    "clientToken": "a-token",
    "distributionConfigurationArn": "arn:aws:imagebuilder:us-west-2:123456789012:distribution-configuration/mine",
}
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(0, 10**6), st.text("abü宽 ", max_size=9))
KEYS = st.sampled_from(["a", "Bee", "long name", "宽"])


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3))


def is_regular(value: Any) -> bool:
    """Whether no list has both structures and other values: version 1 fails there, or omits values."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    kinds = {isinstance(entry, dict) for entry in inner} if isinstance(value, list) else set()
    return len(kinds) < 2 and all(is_regular(entry) for entry in inner)


def has_structures_in_lists_of_lists(value: Any) -> bool:
    """Whether version 1 would draw a part of the value into the table of another."""
    if isinstance(value, dict):
        return any(map(has_structures_in_lists_of_lists, value.values()))
    inner = value if isinstance(value, list) else []
    deeper = [each for entry in inner if isinstance(entry, list) for each in entry]
    return any(isinstance(each, dict) for each in deeper) or any(map(has_structures_in_lists_of_lists, inner))


ANYTHING = st.recursive(SCALARS, nested, max_leaves=8)
RESULTS = ANYTHING.filter(is_regular)
"""Values that a query can return."""


def theirs(form: str, value: Any, color: str = "off") -> str:
    stream = io.StringIO()
    formatter = get_formatter(form, Namespace(query=None, color=color))
    # It expects a whole answer there, where a query comes later.
    formatter._remove_request_id = lambda _: None
    formatter("Title", value, stream)
    return stream.getvalue()


@given(RESULTS)
@example(ANSWER)
@example([{"a": 1}, {"Bee": [1]}])
@example({"a": [[1, [2]], "b"]})
def test_text(value: Any) -> None:
    """Text is the same as the AWS CLI's, for the result of any query."""
    assert render(value, "text", "Title", color=False) == theirs("text", value)


@given(RESULTS.filter(lambda value: not has_structures_in_lists_of_lists(value)))
@example(ANSWER)
@example([{"a": "long " * 9, "Bee": "long " * 9, "宽": []}])
@example({"a": {"Bee": [{"a": 1, "Bee": {"a": 2}}, {"a": 3}]}})
def test_table(value: Any) -> None:
    """A table is the same as the AWS CLI's, wherever it can draw one."""
    try:
        expected = theirs("table", value)
    except ValueError:
        # Theirs wants rows of one length.
        assume(False)
    assert render(value, "table", "Title", color=False) == expected


@pytest.mark.parametrize("value", [[[{"a": "shown"}]], ["x", {"a": ["shown"]}]], ids=["deep", "mixed"])
def test_table_shows_everything(value: Any) -> None:
    """Structures in lists of lists, or beside scalars, are drawn, too."""
    assert "shown" in render(value, "table", "Title", color=False)


@given(ANYTHING, st.sampled_from(FORMATS))
def test_everything_can_be_printed(value: Any, form: str) -> None:
    """The result of any query can be printed, including rows of different lengths."""
    assert render(value, form, "Title", color=False).endswith("\n") or not render(value, form, "T", color=False)


@given(RESULTS)
def test_json(value: Any) -> None:
    """JSON is the same as the AWS CLI's, and empty for an empty structure."""
    assert render(value, "json", "Title", color=False) == theirs("json", value)


@given(RESULTS)
def test_yaml_is_the_same_value(value: Any) -> None:
    """YAML is read back as the same value, and a YAML stream as a list with it."""
    text = render(value, "yaml", "Title", color=False)
    assert "..." not in text.splitlines()
    assert yaml.safe_load(text) == (value if value != {} else None)
    assert yaml.safe_load(render(value, "yaml-stream", "Title", color=False)) == ([value] if value != {} else None)


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        ("yaml", "clientToken: a-token\ndistributionConfigurationArn: {arn}\nrequestId: {id}\n"),
        ("yaml-stream", "- clientToken: a-token\n  distributionConfigurationArn: {arn}\n  requestId: {id}\n"),
        ("off", ""),
    ],
)
def test_formats_of_version_2(form: str, printed: str) -> None:
    """YAML is in block style with sorted keys, a YAML stream is a list of pages, and off prints nothing."""
    expected = printed.format(arn=ANSWER["distributionConfigurationArn"], id=ANSWER["requestId"])
    assert render(ANSWER, form, "Title", color=False) == expected


def test_json_is_not_escaped() -> None:
    """Non-ASCII characters are printed unescaped."""
    assert json.loads(render("Ü宽", "json", "", color=False)) == "Ü宽"
    assert "Ü宽" in render("Ü宽", "json", "", color=False)
