"""What a template may contain: how each resource type is decided. Pure."""
