"""Emulates CloudFormation: runs stack operations by sending the provider the requests of CloudFormation."""
