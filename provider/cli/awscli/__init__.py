"""The parts of the AWS CLI that all its commands share: options, values, output, and return codes."""
