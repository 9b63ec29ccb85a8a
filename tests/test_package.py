"""`make package` creates a template and zips that CloudFormation can deploy without SAM."""

import hashlib
import os
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from provider.template.reader import read
from provider.template.sections import load

ROOT = Path(__file__).parent.parent
MOST_IN_A_CALL = 51_200
"""Bytes of a template that CloudFormation takes without a bucket."""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The packaged application, as `make package` writes it to build/package."""
    ran = package(tmp_path_factory.mktemp("package"))
    assert ran.returncode == 0, ran.stderr
    return ran


@pytest.fixture(scope="module")
def folder(result: subprocess.CompletedProcess[str]) -> Path:
    return Path(result.args[-1])


@pytest.fixture(scope="module")
def tree(folder: Path) -> dict[str, Any]:
    tree = read((folder / "template.yaml").read_bytes()).tree
    assert isinstance(tree, dict)
    return tree


def package(target: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Package into another folder, as the Makefile does."""
    command = [str(ROOT / ".venv-package/bin/python"), "-m", "provider.build.package", "template.yaml", str(target)]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)


def functions(tree: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        logical_id: resource["Properties"]
        for logical_id, resource in tree["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    }


def test_it_needs_no_transform(tree: dict[str, Any]) -> None:
    """The packaged template has no transform, and no type that only SAM knows."""
    assert "Transform" not in tree
    assert not [name for name, one in tree["Resources"].items() if one["Type"].startswith("AWS::Serverless")]


def test_it_lints_clean(folder: Path) -> None:
    """cfn-lint finds no errors or warnings in the packaged template."""
    command = [Path(sys.executable).with_name("cfn-lint"), folder / "template.yaml"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_it_fits_into_one_call(folder: Path) -> None:
    """The packaged template is small enough to be passed to CloudFormation without a bucket."""
    assert (folder / "template.yaml").stat().st_size < MOST_IN_A_CALL


def test_it_is_the_same_application(tree: dict[str, Any]) -> None:
    """Parameters, outputs, conditions, and all resources except the functions are those of template.yaml.

    Only the export's name is a parameter, because the stacks of a StackSet have different names.
    """
    source = load(ROOT / "template.yaml")
    own = {"CodeBucket", "CodeBucketPerRegion", "CodePrefix", "ServiceTokenExport"}
    assert {name: one for name, one in tree["Parameters"].items() if name not in own} == source.parameters
    token = {**source.outputs["ServiceToken"], "Export": {"Name": {"Ref": "ServiceTokenExport"}}}
    assert tree["Outputs"] == {**source.outputs, "ServiceToken": token}
    assert tree["Conditions"].items() >= source.conditions.items()
    native = {name: one for name, one in source.resources.items() if not one["Type"].startswith("AWS::Serverless")}
    assert tree["Resources"].items() >= native.items()


def test_every_parameter_has_its_group(tree: dict[str, Any]) -> None:
    """Each parameter is in one group of CloudFormation's console, and has a description."""
    groups = tree["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(tree["Parameters"])
    assert all(parameter["Description"] for parameter in tree["Parameters"].values())


def test_a_key_has_the_digest_of_its_content(tree: dict[str, Any], folder: Path) -> None:
    """Each function's code is one of the zips, whose key has the digest of its uncompressed files."""
    keys = {one["Code"]["S3Key"]["Fn::Sub"].removeprefix("${CodePrefix}") for one in functions(tree).values()}
    assert keys == {path.name for path in folder.glob("*.zip")}
    assert len(keys) == 2
    for name in keys:
        with zipfile.ZipFile(folder / name) as archive:
            parts = [part for entry in archive.namelist() for part in (entry.encode(), archive.read(entry))]
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
        assert name.endswith(f"-{digest[:16]}.zip")


def test_a_zip_is_small(folder: Path) -> None:
    """A zip is smaller than five megabytes, so that Lambda loads it quickly."""
    assert all(path.stat().st_size < 5_000_000 for path in folder.glob("*.zip"))


def test_the_code_is_where_the_parameters_say(tree: dict[str, Any]) -> None:
    """The code's bucket is CodeBucket, or with the Region appended, the stack Region's bucket."""
    per_region, one_bucket = {"Fn::Sub": "${CodeBucket}-${AWS::Region}"}, {"Ref": "CodeBucket"}
    assert functions(tree)
    for function in functions(tree).values():
        assert function["Code"]["S3Bucket"] == {"Fn::If": ["CodeIsPerRegion", per_region, one_bucket]}
    assert tree["Parameters"]["CodeBucketPerRegion"]["Default"] == "false"


def test_it_is_reproducible(folder: Path, tmp_path: Path) -> None:
    """Another folder, Region, umask, and order of sets give the same bytes."""
    umask = os.umask(0o077)
    try:
        ran = package(tmp_path, AWS_DEFAULT_REGION="cn-north-1", PYTHONHASHSEED="1", TZ="Asia/Tokyo")
    finally:
        os.umask(umask)
    assert ran.returncode == 0, ran.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_a_zip_shows_nothing_of_the_machine(folder: Path) -> None:
    """A zip's entries are sorted, compressed, and readable, and have the earliest time that a zip can store."""
    for path in folder.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in entries} == {stat.S_IFREG | 0o644}
        assert {(entry.create_system, entry.compress_type) for entry in entries} == {(3, zipfile.ZIP_DEFLATED)}


def test_each_zip_has_its_handler(tree: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    """Unpacked as Lambda does it, a function's zip has the handler in the template."""
    for logical_id, function in functions(tree).items():
        name = function["Code"]["S3Key"]["Fn::Sub"].removeprefix("${CodePrefix}")
        with zipfile.ZipFile(folder / name) as archive:
            archive.extractall(tmp_path / logical_id)
        module = function["Handler"].rpartition(".")[0]
        imported = [sys.executable, "-I", "-B", "-c", f"import sys; sys.path.insert(0, '.'); import {module}"]
        ran = subprocess.run(imported, cwd=tmp_path / logical_id, check=False, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr


def test_the_export_has_the_name_that_the_examples_import(tree: dict[str, Any]) -> None:
    """The ServiceToken's export has the name that the examples import, whatever the stack's name is."""
    (example,) = load(ROOT / "examples/cloudformation/golden-image.yaml").resources.values()
    imported = example["Properties"]["ServiceToken"]["Fn::ImportValue"]
    assert tree["Parameters"]["ServiceTokenExport"]["Default"] == imported


def test_next_steps_are_printed(result: subprocess.CompletedProcess[str]) -> None:
    """At the end, the commands that upload the code and deploy the template are printed."""
    commands = re.findall(r"^  aws (\w+ \w+)", result.stdout, re.MULTILINE)
    assert commands == ["s3 cp", "cloudformation deploy"]


def test_pip_errors_are_reported(tmp_path: Path) -> None:
    """If pip cannot get the packages, the message has pip's reason, without a traceback."""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    ran = package(tmp_path, PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="", PIP_EXTRA_INDEX_URL="", **nowhere)
    assert ran.returncode == 1
    assert "pip could not install the function's packages" in ran.stderr
    assert "Traceback" not in ran.stderr
