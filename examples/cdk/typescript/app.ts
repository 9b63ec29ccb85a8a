// A CDK app with a distribution configuration and a provider that is already deployed.
import { App, CfnOutput, CustomResource, Duration, Fn, Stack } from "aws-cdk-lib";
import type { CustomImageBuilderDistributionConfiguration } from "./properties";

const app = new App();
const stack = new Stack(app, "golden-image-ts");

// `satisfies` checks the property names. The provider, or cfn-lint before it, checks the rest.
const properties = {
  Name: "golden-image-ts",
  Distributions: [
    {
      Region: stack.region,
      AmiDistributionConfiguration: {
        Name: "golden-image-{{ imagebuilder:buildDate }}",
        LaunchPermission: { UserIds: ["210987654321", "012345678901"] },
      },
    },
  ],
} satisfies CustomImageBuilderDistributionConfiguration;

const golden = new CustomResource(stack, "GoldenImage", {
  resourceType: "Custom::ImageBuilderDistributionConfiguration",
  serviceToken: Fn.importValue("image-builder-distribution-provider-ServiceToken"),
  serviceTimeout: Duration.minutes(15),
  properties,
});

new CfnOutput(stack, "DistributionConfigurationArn", { value: golden.ref });
new CfnOutput(stack, "Regions", { value: golden.getAttString("Regions") });
