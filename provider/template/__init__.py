"""CloudFormation templates: reading, intrinsic functions, structure."""
