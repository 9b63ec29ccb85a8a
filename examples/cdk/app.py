"""A CDK app with a distribution configuration, by the CDK's own CustomResource."""

from aws_cdk import App, CfnOutput, CustomResource, Duration, Environment, Fn, Stack

PROVIDER = "image-builder-distribution-provider"

app = App()
stack = Stack(app, "golden-image", env=Environment(region="us-east-1"))

images = CustomResource(
    stack,
    "GoldenImage",
    resource_type="Custom::ImageBuilderDistributionConfiguration",
    service_token=Fn.import_value(f"{PROVIDER}-ServiceToken"),
    service_timeout=Duration.minutes(15),
    properties={
        "Name": "golden-image",
        "Description": "Golden image for all teams",
        "Distributions": [
            {
                "Region": stack.region,
                "AmiDistributionConfiguration": {
                    "Name": "golden-image-{{ imagebuilder:buildDate }}",
                    "AmiTags": {"Team": "platform"},
                    "LaunchPermission": {"UserIds": ["210987654321", "012345678901"]},
                },
                "S3ExportConfiguration": {
                    "RoleName": "vmimport",
                    "DiskImageFormat": "VMDK",
                    "S3Bucket": "golden-image-archive",
                },
            }
        ],
        "Tags": {"Team": "platform"},
    },
)

CfnOutput(stack, "DistributionConfigurationArn", value=images.ref)
CfnOutput(stack, "Regions", value=images.get_att_string("Regions"))

app.synth()
