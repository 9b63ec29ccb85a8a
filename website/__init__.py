"""Builds the documentation site from the Markdown pages of this repository."""
