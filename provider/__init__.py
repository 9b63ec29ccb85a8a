"""A CloudFormation custom resource for EC2 Image Builder distribution configurations."""
