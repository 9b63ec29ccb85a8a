"""The operator's commands. What is slow to import is imported where a command needs it."""
