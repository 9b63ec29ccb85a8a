"""The protocol of CloudFormation custom resources: requests, responses, and their delivery."""
