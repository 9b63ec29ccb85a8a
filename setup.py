"""Installs the package under two names, because an app with its own `provider` package hides ours.

All imports inside `provider/` are relative, so each name works without the other.
"""

from setuptools import find_packages, setup

OTHER_NAME = "image_builder_distribution"

packages = find_packages(include=["provider", "provider.*"])
setup(
    packages=[*packages, *(package.replace("provider", OTHER_NAME, 1) for package in packages)],
    package_dir={OTHER_NAME: "provider"},
)
