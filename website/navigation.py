"""The site's table of contents: the pages in their order, below captions."""

CAPTIONS = {
    "Start": ("docs/deploying", "docs/parameters", "docs/using", "examples/README"),
    "Guides": (
        "docs/first-failure",
        "docs/cdk",
        "docs/cdk-testing",
        "docs/another-location",
        "docs/migrating",
        "docs/migrating/native",
        "docs/migrating/lambda",
        "docs/migrating/terraform",
    ),
    "Check templates": ("docs/commands", "docs/linting", "docs/preflight"),
    "The ledger": ("docs/ledger", "docs/contributions", "docs/drift", "docs/account-sources"),
    "Operate": ("docs/operating", "docs/runbook", "docs/permissions", "SECURITY"),
    "Reference": (
        "docs/reference",
        "docs/reference/distribution-configuration",
        "docs/reference/contribution",
        "docs/reference/commands",
    ),
    "Background": (
        "docs/behavior",
        "docs/limits",
        "docs/comparison",
        "docs/reliability",
        "docs/speed",
        "benchmarks/results/cold",
        "docs/cost",
    ),
    "Project": ("CHANGELOG", "CONTRIBUTING", "events/README"),
}


def contents(pages: set[str]) -> dict[str, list[str]]:
    """The existing pages below their captions. Pages that are not listed come last, below "More"."""
    found = {caption: [page for page in listed if page in pages] for caption, listed in CAPTIONS.items()}
    rest = sorted(pages - {page for listed in found.values() for page in listed})
    return {caption: listed for caption, listed in {**found, "More": rest}.items() if listed}
