"""What a command of the AWS CLI has in common with all others: its options, values, output and return codes."""
