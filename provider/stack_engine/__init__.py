"""Emulates CloudFormation: works on stacks by sending the provider what CloudFormation would send."""
