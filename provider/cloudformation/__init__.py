"""The protocol of CloudFormation's custom resources: requests, responses, and their delivery."""
