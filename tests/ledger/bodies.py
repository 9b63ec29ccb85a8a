"""Bodies and parts for tests of the ledger."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from provider.ledger.parts import Body, Event, Part, Revision, accept, propose
from provider.resources.ownership import Owner

ACCOUNT = "123456789012"
ARN = f"arn:aws:imagebuilder:us-east-1:{ACCOUNT}:distribution-configuration/golden"
USER_IDS = "Distributions[].AmiDistributionConfiguration.LaunchPermission.UserIds"
TEMPLATES = "Distributions[].LaunchTemplateConfigurations"
NAME = "x {{ imagebuilder:buildDate }}"
OWNER = Owner("arn:aws:cloudformation:us-east-1:123456789012:stack/images/0", "Golden")


def team(name: str) -> Owner:
    """Return a part's owner in a stack of its own."""
    return Owner(f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/{name}/0", "Part")


def event(owner: Owner = OWNER, date: float = 100.0, request: str = "", kind: str = "Create") -> Event:
    """Return an event of a resource."""
    revision = Revision(date, request or f"{owner.stack_id}-{date}")
    return Event(owner, revision, kind, date + 3600, is_owner=owner == OWNER)  # type: ignore[arg-type]  # one of three


def content(region: str = "us-east-1", **ami: Any) -> dict[str, Any]:
    """Return a content with one Region."""
    return {"distributions": [{"region": region, "amiDistributionConfiguration": {"name": NAME, **ami}}]}


def users(*accounts: str, region: str = "us-east-1") -> dict[str, Any]:
    """Return a contribution of launch permissions."""
    permission = {"launchPermission": {"userIds": [*accounts]}}
    return {"distributions": [{"region": region, "amiDistributionConfiguration": permission}]}


def template(identifier: str, region: str = "us-east-1", **members: Any) -> dict[str, Any]:
    """Return a contribution of a launch template."""
    entry = {"launchTemplateId": identifier, **members}
    return {"distributions": [{"region": region, "launchTemplateConfigurations": [entry]}]}


def proposed(owner: Owner, wanted: Mapping[str, Any], contributions: Sequence[str] = (), date: float = 100.0) -> Part:
    """Return a proposed part."""
    return propose(None, ARN, event(owner, date), Body(wanted, tuple(contributions)))


def accepted(owner: Owner, wanted: Mapping[str, Any], contributions: Sequence[str] = (), date: float = 100.0) -> Part:
    """Return an accepted part."""
    return accept(proposed(owner, wanted, contributions, date), date)


def replacing(part: Part, wanted: Mapping[str, Any], contributions: Sequence[str] = (), date: float = 200.0) -> Part:
    """Return an accepted part with a proposal."""
    return propose(part, ARN, event(part.owner, date, kind="Update"), Body(wanted, tuple(contributions)))


accounts = st.integers(0, 30).map(lambda number: f"{number:012}")
regions = st.sampled_from(["us-east-1", "eu-west-1", "eu-central-1"])
templates = st.integers(0, 4).map(lambda number: f"lt-{number:017}")


@st.composite
def contributions_of_parts(draw: st.DrawFn) -> dict[str, Any]:
    """Contents with a few Regions, accounts, and launch templates, which often meet."""
    entries = []
    for region in draw(st.lists(regions, unique=True, max_size=3)):
        entry: dict[str, Any] = {"region": region}
        if draw(st.booleans()):
            ami: dict[str, Any] = {"launchPermission": {"userIds": draw(st.lists(accounts, unique=True, max_size=4))}}
            if draw(st.booleans()):
                ami["amiTags"] = draw(st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"), max_size=2))
            entry["amiDistributionConfiguration"] = ami
        if draw(st.booleans()):
            chosen = draw(st.lists(templates, unique=True, max_size=3))
            entry["launchTemplateConfigurations"] = [
                {
                    "launchTemplateId": one,
                    **draw(st.sampled_from([{}, {"accountId": ACCOUNT}, {"setDefaultVersion": True}])),
                }
                for one in chosen
            ]
        if draw(st.booleans()):
            entry["s3ExportConfiguration"] = {"roleName": draw(st.sampled_from("ab")), "s3Bucket": "bucket"}
        entries.append(entry)
    found: dict[str, Any] = {"distributions": entries}
    if draw(st.booleans()):
        found["description"] = draw(st.sampled_from(["one", "two"]))
    return found
