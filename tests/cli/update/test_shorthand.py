"""The AWS CLI's shorthand, compared with the AWS CLI's own parser."""

from pathlib import Path
from typing import Any

import pytest
from awscli import shorthand as theirs
from hypothesis import example, given
from hypothesis import strategies as st

from provider.cli.awscli.command_errors import InvalidParameterError
from provider.cli.awscli.shorthand import ShorthandError, parse
from provider.cli.awscli.values import contents, parse_member
from provider.schema.model import UPDATE, operation
from provider.schema.validation import validate

DISTRIBUTIONS = operation(UPDATE).members["distributions"]

PIECES = st.sampled_from([*"ab=,[]{}'\"\\ @:.-", "a=", ",b=", "c={", "d=[", "\\,", "é"])
KEYS = st.sampled_from(["a", "b", "c", "d-1", "e.f"])
WORDS = st.one_of(
    st.text("ab1:/{.-", min_size=1, max_size=4).filter(lambda text: text[0] != "{"),
    st.text("ab =,[]{}", max_size=6).map(lambda text: f'"{text}"'),
    st.text("ab =,[]{}", max_size=6).map(lambda text: f"'{text}'"),
)
VALUES = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda entries: f"[{', '.join(entries)}]"),
        st.dictionaries(KEYS, inner, max_size=3).map(lambda pairs: "{" + _pairs(pairs) + "}"),
    ),
    max_leaves=6,
)
WELL_FORMED = st.dictionaries(
    KEYS, st.one_of(VALUES, st.lists(WORDS, min_size=2, max_size=3).map(",".join)), min_size=1
)


def _pairs(pairs: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in pairs.items())


def read_by_theirs(text: str) -> Any:
    try:
        return theirs.ShorthandParser().parse(text)
    except theirs.ShorthandParseError:
        return ShorthandError


def read_by_ours(text: str) -> Any:
    try:
        return parse(text, contents)
    except ShorthandError:
        return ShorthandError


@given(st.lists(PIECES, max_size=14).map("".join))
@example("a=b,c\\,d=e")
@example("a=b,c=d,")
@example("a = b , c = [ d , e ] ")
@example("a=[b,{c=d,e=[f]}],g={h='i,\\'j',k=\"l\"}")
def test_any_text_is_read_as_the_aws_cli_reads_it(text: str) -> None:
    """Any text is parsed to the same value as by the AWS CLI, or rejected by both."""
    assert read_by_ours(text) == read_by_theirs(text)


@given(WELL_FORMED.map(_pairs))
def test_nested_values_are_read_as_the_aws_cli_reads_them(text: str) -> None:
    """Nested structures, lists, and quoted words are parsed to the same value."""
    assert read_by_ours(text) == read_by_theirs(text) != ShorthandError


@pytest.mark.parametrize("text", ["a", "a=[b", "a={b=c", "a=1,a=2", 'a=b,\nc="d" e,\nf=g'])
def test_errors_are_those_of_the_aws_cli(text: str) -> None:
    """An error has the AWS CLI's message, with a caret under the position."""
    with pytest.raises(theirs.ShorthandParseError) as expected:
        theirs.ShorthandParser().parse(text)
    with pytest.raises(ShorthandError) as reported:
        parse(text, contents)
    assert str(reported.value) == str(expected.value)


def test_an_open_quotation_is_named() -> None:
    """An unclosed quotation is reported, with a caret under its start."""
    with pytest.raises(ShorthandError) as reported:
        parse("a='b", contents)
    assert str(reported.value) == "A quotation is not closed for input:\na='b\n  ^"


def test_values_get_the_types_of_the_model() -> None:
    """Strings become booleans, numbers, and lists with one entry as the model requires; account IDs stay strings."""
    text = (
        "region=us-east-1,"
        "amiDistributionConfiguration={targetAccountIds=012345678901,amiTags={Count=1}},"
        "launchTemplateConfigurations=[{launchTemplateId=lt-0123456789abcdef0,setDefaultVersion=false}],"
        "fastLaunchConfigurations={enabled=True,maxParallelLaunches=6}"
    )
    value = parse_member((text,), "--distributions", DISTRIBUTIONS)
    assert value == [
        {
            "region": "us-east-1",
            "amiDistributionConfiguration": {"targetAccountIds": ["012345678901"], "amiTags": {"Count": "1"}},
            "launchTemplateConfigurations": [{"launchTemplateId": "lt-0123456789abcdef0", "setDefaultVersion": False}],
            "fastLaunchConfigurations": [{"enabled": True, "maxParallelLaunches": 6}],
        }
    ]
    assert validate(value, DISTRIBUTIONS) == []


def test_files_within_shorthand(tmp_path: Path) -> None:
    """`@=` reads a value from a file, and a plain `=` does not."""
    file = tmp_path / "name.txt"
    file.write_text("golden, {{ imagebuilder:buildDate }}", "utf-8")
    text = f"region=file://{file},amiDistributionConfiguration={{name@=file://{file}}}"
    (value,) = parse_member((text,), "--distributions", DISTRIBUTIONS)
    assert value["region"] == f"file://{file}"
    assert value["amiDistributionConfiguration"]["name"] == "golden, {{ imagebuilder:buildDate }}"


def test_a_missing_file_within_shorthand() -> None:
    """A missing file is reported together with the option."""
    with pytest.raises(InvalidParameterError, match=r"parameter '--distributions': Unable to load .*nowhere"):
        parse_member(("region@=file://nowhere",), "--distributions", DISTRIBUTIONS)
