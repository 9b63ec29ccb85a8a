"""The partitions of AWS, from botocore's data."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple


class Partition(NamedTuple):
    """A partition's name (`aws-cn`), and the domain of its endpoints (`amazonaws.com.cn`)."""

    name: str = "aws"
    url_suffix: str = "amazonaws.com"


@cache
def partition_of(region: str) -> Partition:
    """The partition that a Region belongs to, also a new Region; `aws` if its name fits no partition."""
    from botocore.loaders import Loader  # only some commands need it

    for one in Loader().load_data("partitions")["partitions"]:
        if region in one["regions"] or re.fullmatch(one["regionRegex"].removesuffix("$"), region, re.ASCII):
            return Partition(one["id"], one["outputs"]["dnsSuffix"])
    return Partition()
