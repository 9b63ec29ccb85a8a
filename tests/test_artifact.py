"""The Lambda artifact is small, and the data it was pruned of changes nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REGIONS = (
    *("us-east-1", "eu-west-1", "ap-south-1", "il-central-1", "cn-north-1"),
    *("us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1"),
)

ENDPOINTS = """
import itertools, json, sys
sys.path[:0] = sys.argv[1:]
import botocore.session
from botocore.config import Config
found, regions = {}, json.loads(sys.stdin.read())
session = botocore.session.get_session()
for service, region, fips, dual in itertools.product(["imagebuilder", "sts"], regions, [0, 1], [0, 1]):
    config = Config(use_fips_endpoint=bool(fips), use_dualstack_endpoint=bool(dual))
    try:
        client = session.create_client(service, region, config=config, aws_access_key_id="a", aws_secret_access_key="b")
        found[f"{service} {region} {fips}{dual}"] = [client.meta.endpoint_url, client.meta.partition]
    except Exception as error:
        found[f"{service} {region} {fips}{dual}"] = [type(error).__name__, str(error)]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `sam build` makes, dependencies included."""
    target = tmp_path_factory.mktemp("artifact")
    command = ["make", "--no-print-directory", "build-ProviderFunction", f"ARTIFACTS_DIR={target}"]
    subprocess.run(command, cwd=ROOT, check=True)
    return target


def endpoints(*path: Path) -> dict[str, list[str]]:
    """The endpoint and partition of each service, Region and variant; or the error there is instead."""
    command = [sys.executable, "-c", ENDPOINTS, *map(str, path)]
    ran = subprocess.run(command, input=json.dumps(REGIONS), capture_output=True, text=True, check=True, cwd="/")
    found: dict[str, list[str]] = json.loads(ran.stdout)
    return found


def test_no_endpoint_changes(artifact: Path) -> None:
    """In every partition, with FIPS and dual stack or without, the pruned botocore finds the endpoints of the whole."""
    assert endpoints(artifact) == endpoints()


def test_it_is_small(artifact: Path, tmp_path: Path) -> None:
    """Zipped, the artifact has less than five megabytes."""
    packed = shutil.make_archive(str(tmp_path / "artifact"), "zip", artifact)
    assert Path(packed).stat().st_size < 5_000_000


def test_every_model_kept_is_whole_but_for_its_texts(artifact: Path) -> None:
    """The service model in the artifact is the pinned one without documentation, nothing else."""
    script = (
        "import json, sys\nsys.path[:0] = sys.argv[1:]\n"
        "from provider.properties.schema import schema\nprint(json.dumps(schema()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(artifact)], capture_output=True, text=True, check=True, cwd="/"
    )
    assert json.loads(ran.stdout) == json.loads((ROOT / "docs" / "properties.schema.json").read_text(encoding="utf-8"))
