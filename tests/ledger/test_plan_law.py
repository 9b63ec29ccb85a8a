"""Random deployments of an owner and two parts: each is planned, and then the real handler does the same."""

import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import command
from tests.cli.plans import RESOURCE_TYPE, TOKEN
from tests.ledger.bodies import TEMPLATES, USER_IDS
from tests.ledger.test_ledger_requests import CONTRIBUTION, GOLDEN, part
from tests.stack import NAME, ReceivedResponse, Resource

STEPS = 12
FILLER = {"Type": "AWS::SNS::Topic"}


def allowed(generator: random.Random) -> list[str]:
    """Return some of the paths that an owner may allow."""
    return generator.choice([[USER_IDS], [USER_IDS, TEMPLATES], [USER_IDS, TEMPLATES], ["Distributions"], []])


def distribution(generator: random.Random, region: str, **members: Any) -> dict[str, Any]:
    """Return a Region with random user IDs and launch templates, and an output: Image Builder requires one."""
    users = generator.sample(["1" * 12, "2" * 12, "3" * 12], generator.randint(0 if members else 1, 2))
    if users:
        members = {**members, "LaunchPermission": {"UserIds": users}}
    found: dict[str, Any] = {"Region": region}
    if members:
        found["AmiDistributionConfiguration"] = members
    if generator.random() < 0.4:
        is_default = generator.random() < 0.5
        found["LaunchTemplateConfigurations"] = [
            {"LaunchTemplateId": "lt-0123456789abcdef0", "SetDefaultVersion": is_default}
        ]
    return found


def owner_properties(generator: random.Random) -> dict[str, Any]:
    """Return random properties of the owner."""
    regions = generator.choice([["us-east-1"], ["us-east-1", "eu-west-1"], ["us-east-1", "eu-west-1"]])
    contributions = allowed(generator)
    found: dict[str, Any] = {
        "Name": "golden",
        "Description": generator.choice(["a", "b"]),
        "Distributions": [distribution(generator, region, Name=NAME) for region in regions],
    }
    return {**found, "Contributions": contributions} if contributions else found


def part_properties(generator: random.Random) -> dict[str, Any]:
    """Return random properties of a contribution."""
    regions = generator.sample(["us-east-1", "eu-west-1"], generator.randint(1, 2))
    return {
        "DistributionConfigurationArn": GOLDEN,
        "Distributions": [distribution(generator, region) for region in regions],
    }


def written(file: Path, resource: Resource, properties: Mapping[str, Any] | None) -> Path:
    """Write a stack's template, with the resource or without it."""
    resources: dict[str, Any] = {"Filler": FILLER}
    if properties is not None:
        type_name = CONTRIBUTION if resource.resource_type == CONTRIBUTION else RESOURCE_TYPE
        resources[resource.logical_id] = {"Type": type_name, "Properties": {"ServiceToken": TOKEN, **properties}}
    file.write_text(json.dumps({"Resources": resources}), "utf-8")
    return file


def deployed(resource: Resource, properties: Mapping[str, Any] | None) -> ReceivedResponse:
    """Let the handler do what the plan was about. Returns its response."""
    if properties is None:
        response = resource.delete()
        if response.status == "SUCCESS":
            resource.physical_id = ""
        return response
    return resource.update(**properties) if resource.physical_id else resource.create(**properties)


def without_ids(reason: str) -> str:
    """Return a reason without the IDs of stacks."""
    return re.sub(r":stack/([a-z-]+)/[0-9a-f-]+", r":stack/\1", reason)


def held(paths: list[dict[str, Any]]) -> set[Any]:
    """Return values with the names of the stacks that have them."""
    return {
        (one["path"], str(one["value"]), *sorted(owner["stackId"].split("/")[1] for owner in one["owners"]))
        for one in paths
    }


def recorded() -> set[Any]:
    """Return what the ledger has after a deployment."""
    ended = command("owners", GOLDEN, "--format", "json")
    return held(json.loads(ended.stdout)["paths"]) if ended.status == 0 else set()


@pytest.mark.parametrize("seed", range(4))
def test_a_plan_is_what_the_handler_does(recorded_resource: Resource, tmp_path: Path, seed: int) -> None:
    """Whatever is deployed, the plan has the handler's reason, or else the merged configuration with its owners."""
    generator, owner = random.Random(seed), recorded_resource
    stacks = {"images": owner, "a": part(owner, "a"), "b": part(owner, "b")}
    owner.create(**owner_properties(generator))
    outcomes = []
    for step in range(STEPS):
        owner.clock.sleep(1)
        name = generator.choice([*stacks])
        resource = stacks[name]
        old = resource.properties if resource.physical_id else None
        new = owner_properties(generator) if resource is owner else part_properties(generator)
        properties = None if old is not None and generator.random() < 0.25 else new
        arguments: list[str | Path] = [written(tmp_path / "new.yaml", resource, properties), "--stack-name", name]
        if old is not None:
            arguments += ["--previous", written(tmp_path / "old.yaml", resource, old)]
        ended = command("plan", *arguments, "--output", "json")
        plan = json.loads(ended.stdout)
        (change,) = plan["resources"]
        if properties == old:
            continue
        before = recorded()
        response = deployed(resource, properties)
        context = f"step {step}: {name}, {change['action']} {change['reason']}; {response.reason}"
        assert (change["action"] == "refused") == (response.status == "FAILED"), context
        if response.status == "FAILED":
            assert without_ids(change["reason"]) in without_ids(response.reason), context
            assert recorded() == before, context
        else:
            predicted = next((held(one["paths"]) for one in plan["configurations"]), set())
            assert predicted == recorded(), context
        outcomes.append(response.status)
    assert "SUCCESS" in outcomes
