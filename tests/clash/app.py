"""An app whose own `provider` package hides the installed one."""

from aws_cdk import App, Stack

from provider.construct import DistributionConfiguration

stack = Stack(App(context={"aws:cdk:bundling-stacks": []}, outdir="cdk.out"), "images")
DistributionConfiguration(
    stack,
    "Golden",
    name="golden",
    distributions=[
        {"region": "us-east-1", "ami_distribution_configuration": {"name": "golden {{ imagebuilder:buildDate }}"}}
    ],
)
app = stack.node.root
assert isinstance(app, App)
app.synth()
