"""Generates documentation, schemas, and samples for template authors from the service model. Pure."""
