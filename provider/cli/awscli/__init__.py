"""What all commands of the AWS CLI have in common: options, values, output, and return codes."""
