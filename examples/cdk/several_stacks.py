"""A CDK app: a provider with a ledger, a configuration, and a team's stack that contributes to it.

Deploy it with `cdk deploy --all --app "python3 several_stacks.py"`.
"""

from aws_cdk import App, CfnOutput, Stack
from image_builder_distribution.construct import (
    DistributionConfiguration,
    DistributionConfigurationProvider,
    DriftMode,
    Ledger,
)

app = App()
platform = Stack(app, "platform")
team_a = Stack(app, "team-a")

provider = DistributionConfigurationProvider(
    platform, "Provider", name_pattern="shared-*", ledger=Ledger(drift=DriftMode.REPAIR)
)
golden = DistributionConfiguration(
    platform,
    "GoldenImage",
    provider=provider,
    name="shared-image",
    contributions=["Distributions[].AmiDistributionConfiguration.LaunchPermission.UserIds"],
    distributions=[
        {
            "region": platform.region,
            "ami_distribution_configuration": {"name": "shared-image-{{ imagebuilder:buildDate }}"},
        }
    ],
)
part = golden.add_contribution(
    team_a,
    "TeamA",
    distributions=[
        {
            "region": team_a.region,
            "ami_distribution_configuration": {"launch_permission": {"user_ids": ["111122223333"]}},
        }
    ],
)

CfnOutput(platform, "LedgerTableName", value=provider.ledger_table.table_name)
CfnOutput(team_a, "ContributionId", value=part.ref)

app.synth()
