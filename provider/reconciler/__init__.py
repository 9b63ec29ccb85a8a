"""Bring a resource to its desired state: read, decide, execute."""
