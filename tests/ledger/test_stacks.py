"""Owners, adopters, and contributions in stacks, with sources that change, crashes at every call, and late writes."""

from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provider.resources.ownership import Owner
from provider.schema.model import CONTRIBUTIONS, DELETE, NAME, ON_DELETE, RETAIN, TAGS, TARGET
from tests.ledger.bodies import ACCOUNT, ARN, OWNER, TEMPLATES, USER_IDS, content, team, template, users
from tests.ledger.simulated_stacks import Properties, Resource, Stacks
from tests.ledger.simulation import BAD

seeds = st.integers(0, 2**32)
ADOPTER = Owner(f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/adopter/0", "Adopter")
PARAMETERS = ("/images/one", "/images/two")
FAULTS = [{}, {"kill": 0.05}, {"late": 0.4}, {"freeze": 0.05}, {"kill": 0.02, "late": 0.2, "freeze": 0.01}]
ACCOUNTS = [f"{number:012}" for number in range(30)]


class Scenario:
    """Random deployments of an owner, an adopter, and three contributions."""

    def __init__(self, seed: int, kill: float = 0.0, late: float = 0.0, freeze: float = 0.0) -> None:
        self.random = Random(seed)
        self.stacks = Stacks(seed, kill, late, freeze)
        for name in PARAMETERS:
            self.stacks.put_source(name, self._accounts(10))
        self.owner, self.adopter = Resource(OWNER, is_owner=True), Resource(ADOPTER, is_owner=True)
        self.resources = [
            self.owner,
            self.adopter,
            *(Resource(team(name), is_owner=False) for name in "abc"),
        ]

    def run(self) -> Stacks:
        """Run some actions, some of them at once, and then everything to its end. Checks all invariants."""
        actions = [self._deploy] * 6 + [
            self._change_source,
            self._toggle_source,
            self._sweep,
            self._copy,
            self.stacks.deliver_again,
        ]
        if self.random.random() < 0.9:
            self.stacks.deploy(self.owner, "Create", self._properties(self.owner))
            self.stacks.run()
            self._let_records_expire()
        for _ in range(self.random.randint(4, 20)):
            self.random.choice(actions)()
            for _ in range(self.random.randint(0, 60)):
                if self.stacks.running:
                    self.stacks.step()
            self.stacks.now += self.random.choice([0.0, 0.0, 1.0, 50.0])
        self._finish()
        self.stacks.check_end()
        for resource in self.resources:
            self.stacks.check_resource(resource)
        return self.stacks

    def _let_records_expire(self) -> None:
        """Let digests and used tokens expire at times. No copy is delivered that late."""
        if self.random.random() < 0.5:
            self.stacks.now += 2 * 86_400.0
            self.stacks.answers.clear()

    def _finish(self) -> None:
        self.stacks.stop_faults()
        self.stacks.unreadable.clear()
        for _ in range(4):
            self.stacks.run()
            self.stacks.deliver_again()
            self.stacks.run()
            self.stacks.settle_down()
            self.stacks.sweep()
            self.stacks.sweep()
            broken = [one for one in self.resources if one.failed is not None]
            for resource in broken:
                self.stacks.repair(resource)
        self.stacks.run()
        self.stacks.settle_down()
        self.stacks.sweep()  # only now, sweeps follow the sources of an owner whose adopter was deleted

    # actions

    def _deploy(self) -> None:
        resource = self.random.choice(self.resources)
        if resource.pending is not None or resource.failed is not None:
            return
        if resource.properties is None and resource in (self.owner, self.adopter):
            # An adopter's stack needs the ARN that the owner's Create returns.
            other = self.adopter if resource is self.owner else self.owner
            if other.pending is not None or (resource is self.owner and other.properties is not None):
                return
        if resource.properties is None:
            self.stacks.deploy(resource, "Create", self._properties(resource))
        elif self.random.random() < 0.3:
            self.stacks.deploy(resource, "Delete", resource.properties)
        else:
            self.stacks.deploy(resource, "Update", self._properties(resource), resource.properties)

    def _change_source(self) -> None:
        name = self.random.choice(PARAMETERS)
        self.stacks.put_source(name, self._accounts(self.random.choice([1, 8, 10, 12])))

    def _toggle_source(self) -> None:
        self.stacks.unreadable ^= {self.random.choice(PARAMETERS)}

    def _sweep(self) -> None:
        self.stacks.start("sweep", lambda function: self.stacks.sweep_of(function).run())

    def _copy(self) -> None:
        if self.stacks.answers:
            resource, request, _ = self.random.choice(self.stacks.answers)
            self.stacks.deliver(resource, request)

    # properties

    def _properties(self, resource: Resource) -> Properties:
        if not resource.is_owner:
            return {TARGET: ARN, **self._part()}
        target = {NAME: "golden"} if resource is self.owner else {TARGET: ARN}
        contributions = self.random.choice([[USER_IDS, TEMPLATES]] * 4 + [[USER_IDS], []])
        wanted = content(description=str(self.random.randint(0, 3)))
        if self.random.random() < 0.3:
            wanted = content(targetAccountIds=[{"parameter": PARAMETERS[0]}])
        return {
            **target,
            **({CONTRIBUTIONS: contributions} if contributions else {}),
            **({ON_DELETE: self.random.choice([DELETE, RETAIN])} if self.random.random() < 0.5 else {}),
            **({TAGS: {"team": self.random.choice("ab")}} if self.random.random() < 0.3 else {}),
            **wanted,
        }

    def _part(self) -> dict[str, Any]:
        if self.random.random() < 0.3:
            members: list[dict[str, Any]] = [{}, {}, {"setDefaultVersion": False}]
            identifiers = [f"lt-{number:017}" for number in range(3)] + [BAD]
            return template(self.random.choice(identifiers), **self.random.choice(members))
        wanted = users(*self._accounts(self.random.randint(1, 3)))
        if self.random.random() < 0.5:
            permission = wanted["distributions"][0]["amiDistributionConfiguration"]["launchPermission"]
            permission["userIds"].append({"parameter": self.random.choice(PARAMETERS)})
        return wanted

    def _accounts(self, count: int) -> tuple[str, ...]:
        return tuple(self.random.sample(ACCOUNTS, count))


@settings(max_examples=60)
@given(seeds)
@example(334)  # a second Delete of an owner whose first one failed, and was skipped in a late copy
@example(714)  # an owner's accounts change after an adopter with wider Contributions has left
def test_invariants_1_to_6_and_9_without_faults(seed: int) -> None:
    """Requests and sweeps at once, while sources change or cannot be read: all invariants hold."""
    Scenario(seed).run()


@settings(max_examples=80)
@given(seeds)
@example(1075)  # the second delivery of a Delete that was skipped, before the adopter has moved the tags
@example(2173)  # an adopter that leaves before it marked what it keeps for the parts of others
@example(1735732357)  # the accounts of an owner that was deleted change
@example(1692763)  # an Update whose function sleeps, while another holder writes
def test_invariants_1_to_6_and_9_whatever_crashed(seed: int) -> None:
    """Functions are killed or frozen at any call, and writes are late: after a day at most, all invariants hold."""
    Scenario(seed, kill=0.02, late=0.2, freeze=0.01).run()


@pytest.mark.long
@pytest.mark.parametrize("faults", FAULTS)
def test_many_random_deployments(faults: dict[str, float]) -> None:
    """The same, many times and with several shares of faults."""
    for seed in range(1000):
        Scenario(seed, **faults).run()
