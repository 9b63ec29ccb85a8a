"""Brings a configuration to its desired state: reads, decides, executes."""
