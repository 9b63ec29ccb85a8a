"""Measures how long expanding, validating, and comparing take for the largest configuration, and how they scale.

Run with `make bench`. Prints medians of many runs, in milliseconds, on one thread.
"""

import copy
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from provider.resources import resource_type
from provider.schema.diff import differences
from provider.schema.expand import Expanded, expand
from provider.schema.flatten import flatten
from provider.schema.rules import apply_rules
from provider.schema.validation import validate

RUNS = 41


def account(number: int) -> str:
    """A made-up account ID."""
    return f"{number:012}"


def region(name: str, accounts: int, templates: int, launches: int) -> dict[str, Any]:
    """One entry of `distributions` with so many accounts (twice), launch templates and fast launches."""
    ids = [account(number) for number in range(accounts)]
    return {
        "region": name,
        "amiDistributionConfiguration": {
            "name": "golden {{ imagebuilder:buildDate }}",
            "targetAccountIds": ids,
            "launchPermission": {"userIds": ids},
        },
        "launchTemplateConfigurations": [
            {"launchTemplateId": f"lt-{number:017}", "accountId": account(number), "setDefaultVersion": True}
            for number in range(templates)
        ],
        "fastLaunchConfigurations": [
            {
                "enabled": True,
                "accountId": account(number),
                "snapshotConfiguration": {"targetResourceCount": 5},
                "maxParallelLaunches": 6,
                "launchTemplate": {"launchTemplateName": "windows", "launchTemplateVersion": "1"},
            }
            for number in range(launches)
        ],
    }


def as_cloudformation_sends(value: Any) -> Any:
    """Every scalar as a string."""
    if isinstance(value, dict):
        return {key: as_cloudformation_sends(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [as_cloudformation_sends(entry) for entry in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def median(work: Callable[[], object]) -> float:
    """Median milliseconds of one call."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def measure(distributions: list[dict[str, Any]]) -> tuple[float, float, float]:
    """Median milliseconds to expand, to validate, and to find the one difference at the very end."""
    parameters: dict[str, Any] = {"name": "golden", "distributions": distributions}
    properties = as_cloudformation_sends(flatten(parameters, resource_type().schema))
    live = copy.deepcopy(parameters)
    live["distributions"][-1]["fastLaunchConfigurations"][-1]["enabled"] = False
    expanded: Expanded = expand(properties, resource_type().schema)
    if (
        expanded.parameters != parameters
        or validate(parameters, resource_type().schema)
        or any(apply_rules(parameters, resource_type().rules))
    ):
        raise AssertionError("the configuration measured is not a valid one")
    if len(differences(live, parameters, resource_type().schema)) != 1:
        raise AssertionError("the difference measured is not the one that was made")
    return (
        median(lambda: expand(properties, resource_type().schema)),
        median(
            lambda: [*validate(parameters, resource_type().schema), *apply_rules(parameters, resource_type().rules)]
        ),
        median(lambda: differences(live, parameters, resource_type().schema)),
    )


def main() -> None:
    """Print the figures as Markdown."""
    limits = measure([region("us-east-1", 1536, 100, 1000)])
    print("One Region at the API's limits (2 x 1,536 accounts, 100 launch templates, 1,000 fast launches):\n")
    print("| expand | validate | compare | all |\n|---|---|---|---|")
    print("| " + " | ".join(f"{figure:.1f} ms" for figure in (*limits, sum(limits))) + " |\n")
    print("Growth with the number of Regions (10 accounts, 2 launch templates, 2 fast launches each):\n")
    print("| Regions | all |\n|---|---|")
    sizes = (1, 10, 50, 100, 200)
    totals = [sum(measure([region(f"us-east-{n}", 10, 2, 2) for n in range(size)])) for size in sizes]
    for size, total in zip(sizes, totals, strict=True):
        print(f"| {size} | {total:.2f} ms |")
    exponent = math.log(totals[-1] / totals[1]) / math.log(sizes[-1] / sizes[1])
    print(f"\nExponent from {sizes[1]} to {sizes[-1]} Regions: {exponent:.2f} (1 is linear).")


if __name__ == "__main__":
    main()
