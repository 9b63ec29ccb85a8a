"""A CDK app: one provider, and configurations in two Regions and two accounts.

Deploy it with `cdk deploy --all --app "python3 two_regions_two_accounts.py"`, and credentials for both accounts.
"""

from aws_cdk import App, Environment, Stack
from aws_cdk.aws_iam import AccountPrincipal, PolicyStatement, PrincipalWithConditions, Role
from image_builder_distribution.construct import DistributionConfiguration, DistributionConfigurationProvider
from image_builder_distribution.construct.properties import Distribution

HERE = Environment(account="123456789012", region="us-east-1")
THERE = Environment(account="210987654321", region="eu-west-1")

app = App()
there = Stack(app, "images-role", env=THERE)
here = Stack(app, "images", env=HERE)

# The provider's role has a generated name, so the trust policy allows it by a pattern.
providers_role = {
    "StringLike": {"sts:ExternalId": f"arn:aws:cloudformation:{HERE.region}:{HERE.account}:stack/images/*"},
    "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HERE.account}:role/images-ProviderRole*"},
}
role = Role(
    there,
    "ImageDistribution",
    role_name="image-distribution",
    assumed_by=PrincipalWithConditions(AccountPrincipal(HERE.account), providers_role),
)
role.add_to_policy(
    PolicyStatement(
        actions=[
            "imagebuilder:CreateDistributionConfiguration",
            "imagebuilder:GetDistributionConfiguration",
            "imagebuilder:UpdateDistributionConfiguration",
            "imagebuilder:DeleteDistributionConfiguration",
            "imagebuilder:ListTagsForResource",
            "imagebuilder:TagResource",
            "imagebuilder:UntagResource",
        ],
        resources=[f"arn:aws:imagebuilder:*:{THERE.account}:distribution-configuration/golden-*"],
    )
)
role.add_to_policy(
    PolicyStatement(
        actions=["imagebuilder:ListDistributionConfigurations", "imagebuilder:ListImagePipelines"], resources=["*"]
    )
)
# On first use in an account, Image Builder creates its service-linked role.
role.add_to_policy(
    PolicyStatement(
        actions=["iam:GetRole", "iam:CreateServiceLinkedRole"],
        resources=[
            f"arn:aws:iam::{THERE.account}:role/aws-service-role/imagebuilder.amazonaws.com/AWSServiceRoleForImageBuilder"
        ],
    )
)


def to(region: str) -> list[Distribution]:
    """Distribute to one Region."""
    return [{"region": region, "ami_distribution_configuration": {"name": "golden-{{ imagebuilder:buildDate }}"}}]


provider = DistributionConfigurationProvider(here, "Provider", name_pattern="golden-*", regions=["eu-west-1"])
DistributionConfiguration(here, "Images", provider=provider, name="golden-image", distributions=to("us-east-1"))
DistributionConfiguration(
    here, "InOtherRegion", provider=provider, name="golden-image", region="eu-west-1", distributions=to("eu-west-1")
)
# This also allows the provider to assume the role.
in_other_account = DistributionConfiguration(
    here,
    "InOtherAccount",
    provider=provider,
    name="golden-image",
    region="eu-west-1",
    role=role,
    distributions=to("eu-west-1"),
)
in_other_account.node.add_dependency(there)

app.synth()
