"""Tests of a CDK app: assertions, mistakes, warnings, and a snapshot. They build no assets and do not call AWS."""

import json
import re
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Annotations, Match, Template
from image_builder_distribution.construct import DistributionConfiguration

TYPE = "Custom::ImageBuilderDistributionConfiguration"
AMI = {"name": "golden-{{ imagebuilder:buildDate }}"}
SNAPSHOT = Path(__file__).with_name("images.snapshot.json")


@pytest.fixture
def stack():
    """A stack in an app that builds no assets. Use your own stack's class here."""
    app = App(context={"aws:cdk:bundling-stacks": []}, builtin_cloud_formation_validation=False)
    return Stack(app, "images")


def golden(stack, **distribution):
    """The configuration under test."""
    distributions = [{"region": "us-east-1", "ami_distribution_configuration": AMI, **distribution}]
    return DistributionConfiguration(stack, "Golden", name="golden", distributions=distributions)


def test_images_are_shared_with_production(stack):
    """Assertions use CloudFormation's names, as in the synthesized template."""
    golden(stack, ami_distribution_configuration={**AMI, "launch_permission": {"user_ids": ["012345678901"]}})
    permission = {"LaunchPermission": {"UserIds": ["012345678901"]}}
    distribution = Match.object_like({"Region": "us-east-1", "AmiDistributionConfiguration": permission})
    Template.from_stack(stack).has_resource_properties(TYPE, {"Name": "golden", "Distributions": [distribution]})


def test_a_mistake_fails_at_synth(stack):
    """Errors are raised by the synthesis, which each assertion starts."""
    golden(stack, ssm_parameter_configurations=[{"parameter_name": "/images/golden"}])
    with pytest.raises(RuntimeError, match="ssm_parameter_pattern"):
        Template.from_stack(stack)


def test_there_are_no_warnings(stack):
    """Warnings are annotations."""
    golden(stack)
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


def test_the_template_is_that_of_the_snapshot(stack):
    """Delete the snapshot to accept a change. The hashes of the functions' code are not compared."""
    golden(stack)
    template = json.dumps(Template.from_stack(stack).to_json(), indent=2)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", template)
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()
