"""Brings a resource to its desired state: read, plan, execute."""
