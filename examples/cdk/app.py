"""A CDK app: a distribution configuration with its own provider, and a pipeline that uses the configuration."""

from aws_cdk import App, CfnOutput, Fn, Stack
from aws_cdk.aws_imagebuilder import CfnImagePipeline
from image_builder_distribution.construct import DistributionConfiguration, DistributionConfigurationProvider
from image_builder_distribution.construct.properties import DiskImageFormat

app = App()
stack = Stack(app, "golden-image")

provider = DistributionConfigurationProvider(
    stack, "Provider", name_pattern="golden-*", export_bucket_pattern="golden-image-archive", launch_templates=False
)

golden = DistributionConfiguration(
    stack,
    "GoldenImage",
    provider=provider,
    name="golden-image",
    description="Golden image for all teams",
    distributions=[
        {
            "region": stack.region,
            "ami_distribution_configuration": {
                "name": "golden-image-{{ imagebuilder:buildDate }}",
                "ami_tags": {"Team": "platform"},
                "launch_permission": {"user_ids": ["210987654321", "012345678901"]},
            },
            "s3_export_configuration": {
                "role_name": "vmimport",
                "disk_image_format": DiskImageFormat.VMDK,
                "s3_bucket": "golden-image-archive",
            },
        }
    ],
    tags={"Team": "platform"},
)

CfnOutput(stack, "DistributionConfigurationArn", value=golden.distribution_configuration_arn)
CfnOutput(stack, "Regions", value=Fn.join(", ", golden.regions))

# If you have an image recipe and an infrastructure configuration: `cdk deploy --context pipeline=golden-image`.
if pipeline := app.node.try_get_context("pipeline"):
    base = f"arn:{stack.partition}:imagebuilder:{stack.region}:{stack.account}"
    CfnImagePipeline(
        stack,
        "Pipeline",
        name=pipeline,
        image_recipe_arn=f"{base}:image-recipe/{pipeline}/1.0.0",
        infrastructure_configuration_arn=f"{base}:infrastructure-configuration/{pipeline}",
        distribution_configuration_arn=golden.ref,
    )

app.synth()
