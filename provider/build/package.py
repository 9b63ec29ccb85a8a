"""Packages the application for CloudFormation without SAM: a template without a transform, and zip files for S3.

Usage: python -m provider.build.package TEMPLATE FOLDER

The SAM translator translates the template as the transform would. The location of the code and the name of the export
become parameters. A zip file is named after its content: a new version gets a new key, and the same content no update.
"""

import hashlib
import io
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from .artifact import BuildError, build
from .shrink import EARLIEST

NAME: Final = "image-builder-distribution-provider"
"""The name of the stack in samconfig.toml; here also the default folder in the bucket."""
_FUNCTION: Final = "AWS::Serverless::Function"
_FILE: Final = 0o100644 << 16
"""Readable by every user."""
_NAME_DIGITS: Final = 16

_PARAMETERS: Final = {
    "CodeBucket": {
        "Type": "String",
        "AllowedPattern": "^[a-z0-9.-]+$",
        "ConstraintDescription": "the name of a bucket",
        "Description": "The bucket with the code. It must be in the stack's Region.",
    },
    "CodeBucketPerRegion": {
        "Type": "String",
        "Default": "false",
        "AllowedValues": ["true", "false"],
        "Description": (
            "Whether to append the Region to the bucket's name, for a StackSet: acme-code becomes acme-code-us-east-1."
        ),
    },
    "CodePrefix": {
        "Type": "String",
        "Default": f"{NAME}/",
        "AllowedPattern": "^(.*/)?$",
        "ConstraintDescription": "a folder that ends with a slash, or empty",
        "Description": "The folder with the code in that bucket. It ends with a slash.",
    },
    "ServiceTokenExport": {
        "Type": "String",
        "Default": f"{NAME}-ServiceToken",
        "AllowedPattern": "^[-:a-zA-Z0-9]+$",
        "ConstraintDescription": "letters, digits, colons, and hyphens",
        "Description": "The name with which other stacks import the ServiceToken. It must be unique in the Region.",
    },
}
_PER_REGION: Final = {"CodeIsPerRegion": {"Fn::Equals": [{"Ref": "CodeBucketPerRegion"}, "true"]}}
_BUCKET: Final = {
    "Fn::If": ["CodeIsPerRegion", {"Fn::Sub": "${CodeBucket}-${AWS::Region}"}, {"Ref": "CodeBucket"}],
}


def package(template: Path, folder: Path) -> None:
    """Write template.yaml and one zip for each of its functions into a folder.

    Raises BuildError if a function cannot be built.
    """
    folder.mkdir(parents=True, exist_ok=True)
    application = yaml_parse(template.read_text(encoding="utf-8"))
    for logical_id, resource in application["Resources"].items():
        if resource["Type"] == _FUNCTION:
            key = {"Fn::Sub": f"${{CodePrefix}}{_zip_of(logical_id, folder)}"}
            resource["Properties"]["CodeUri"] = {"Bucket": _BUCKET, "Key": key}
    translated = yaml.safe_dump(_translated(application), sort_keys=False, width=120)
    (folder / "template.yaml").write_text(translated, encoding="utf-8")


def _translated(application: dict[str, Any]) -> dict[str, Any]:
    # It refers to files that are not in the package, and CloudFormation would require them in a nested stack.
    del application["Metadata"]["AWS::ServerlessRepo::Application"]
    application["Parameters"].update(_PARAMETERS)
    application["Conditions"].update(_PER_REGION)
    # The stacks of a StackSet have different names; the export needs the same name in each.
    application["Outputs"]["ServiceToken"]["Export"]["Name"] = {"Ref": "ServiceTokenExport"}
    groups = application["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    groups.insert(
        0, {"Label": {"default": "Location of the code, and name of the export"}, "Parameters": [*_PARAMETERS]}
    )
    plain: dict[str, Any] = transform(application, {}, _NoManagedPolicies())
    return plain


class _NoManagedPolicies:
    """The translator loads AWS managed policies; the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


def _zip_of(function: str, folder: Path) -> str:
    """Build a function and zip it into a folder; return the name of the zip file."""
    print(f"building {function}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        build(function, built := Path(scratch, function))
        files = {path.relative_to(built).as_posix(): path.read_bytes() for path in built.rglob("*") if path.is_file()}
    kebab = re.sub("(?<=[a-z])(?=[A-Z])", "-", function.removesuffix("Function")).lower()
    name = f"{kebab}-{_digest(files)}.zip"
    (folder / name).write_bytes(_zipped(files))
    return name


def _digest(files: Mapping[str, bytes]) -> str:
    """Return a digest of the uncompressed content: compressors differ in their output."""
    parts = [part for name, content in sorted(files.items()) for part in (name.encode(), content)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:_NAME_DIGITS]


def _zipped(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EARLIEST[:6])
            entry.create_system = 3  # Unix on every machine: otherwise, the permissions would be ignored
            entry.external_attr = _FILE
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return target.getvalue()


def _next_steps(folder: Path) -> str:
    return f"""\
{folder} contains the template and the code. To deploy, set BUCKET to a bucket in the Region of the stack:

  BUCKET=...
  aws s3 cp {folder} s3://$BUCKET/{NAME}/ --recursive --exclude template.yaml
  aws cloudformation deploy --template-file {folder}/template.yaml --stack-name {NAME} \\
    --capabilities CAPABILITY_IAM --parameter-overrides CodeBucket=$BUCKET"""


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    # The translator needs a Region for botocore, but the result does not depend on it or on a profile.
    for setting in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[setting]
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    try:
        package(Path(sys.argv[1]), Path(sys.argv[2]))
    except BuildError as error:
        sys.exit(str(error))
    print(_next_steps(Path(sys.argv[2])))
