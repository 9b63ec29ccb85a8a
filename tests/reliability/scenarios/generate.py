"""Chooses the steps of a scenario. Each step has its own random numbers, so that steps can be omitted."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, Final

from provider.emulator.faults import Fault
from tests.reliability.scenarios.cloud import CloudFormation, Conduct, Declared, Stack
from tests.reliability.scenarios.deliveries import ApiFaults, Moment, RequestFaults, Sent, When
from tests.reliability.scenarios.facts import (
    LOGICAL_TAG,
    PLACES,
    STACK_TAG,
    Properties,
    arn_of,
    is_arn,
    named_arn,
    place_of,
)
from tests.reliability.scenarios.world import Machinery, World

STEPS: Final = 6
_NAMES: Final = ("Golden", "web images", "web-images")
_LOGICAL_IDS: Final = ("A", "B")
_REGIONS: Final = ("us-east-1", "eu-west-1")
_FAULTS: Final = (Fault.THROTTLE, Fault.UNAVAILABLE, Fault.SERVER_ERROR, Fault.RESET, Fault.GARBAGE, Fault.DENIED)
_OPERATIONS: Final = (
    "*",
    "*",
    "GetDistributionConfiguration",
    "GetDistributionConfiguration",
    "CreateDistributionConfiguration",
    "UpdateDistributionConfiguration",
    "DeleteDistributionConfiguration",
    "TagResource",
    "UntagResource",
)
_PAUSES: Final = (15.0, 20.0, 100.0, 1000.0, 5000.0)
_TARGETS: Final = ("Name", "DistributionConfigurationArn", "Region", "RoleArn")
_WHEN: Final[tuple[When, ...]] = ("before", "after")
_INTERRUPTIONS: Final = ("cancel", "cancel", "cancel", "remove", "edit", "duplicate", "copy", "copy", "copy")
_RECENT: Final = 6
_MIDDLE: Final[tuple[Moment, ...]] = ((1, "after"), (2, "before"), (2, "after"), (3, "before"))
"""Between the call that creates a configuration and the one that hands it over."""
_SOON: Final = 8000
"""Milliseconds after which a delivery ends if it cannot respond."""


class Scenario:
    """The scenario of a seed, with all steps or only some. With `places`, it has several Regions and accounts."""

    def __init__(self, seed: int, steps: Sequence[int] = range(STEPS), *, places: bool = False) -> None:
        self.seed, self.steps, self.places = seed, steps, PLACES if places else PLACES[:1]

    def run(self, machinery: Machinery) -> World:
        """Run the scenario and return its world."""
        world = World(machinery, self.seed)
        try:
            play = _Play(world, self.seed, self.places)
            for step in self.steps:
                play.step(step)
                if world.oracle.violations:
                    return world
            play.end()
        finally:
            world.close()
        return world


class _Play:
    """A running scenario."""

    def __init__(self, world: World, seed: int, places: Sequence[Properties]) -> None:
        self._world = world
        self._places = places
        self._seed = seed
        self._cloud = CloudFormation(world)
        self._stacks = [Stack("one"), Stack("two")]
        self._chance = random.Random(seed)
        self._names = [f"{name} {seed}" for name in _NAMES]
        world.disturb = self._disturb

    def step(self, number: int) -> None:
        """Run the step with this number."""
        self._chance = random.Random(f"{self._seed} {number}")
        random.seed(f"{self._seed} {number} provider")
        self._world.clock.advance(self._chance.choice(_PAUSES))
        name, action = self._pick()
        self._world.note(f"step {number}: {name}")
        action()
        self._world.oracle.at_rest()

    def end(self) -> None:
        """Remove all faults, delete all stacks, and check that nothing is left."""
        self._world.clock.advance(100.0)
        self._world.note("end: all faults are cleared, all stacks are deleted")
        self._world.clear_faults()
        for stack in self._stacks:
            for _ in range(3):
                if self._cloud.delete(stack):
                    break
                self._world.clock.advance(60.0)
            else:
                self._world.record_violation(f"stack {stack.name} cannot be deleted: {stack.resources}")
        self._world.oracle.at_rest()
        self._world.oracle.at_end()

    def _pick(self) -> tuple[str, Callable[[], None]]:
        actions: list[tuple[str, Callable[[], None], int]] = [
            ("deploy", self._deploy, 14),
            ("another person creates a configuration", self._create_by_another_person, 1),
        ]
        if self._world.history:
            actions += [
                ("delete a stack", self._delete_stack, 3),
                ("late copy", self._late_copy, 4),
                ("a resource is added twice", self._add_twice, 1),
                ("a search cannot read", self._fail_search, 1),
                ("a creation is canceled", self._cancel_creation, 1),
                ("another person deletes a configuration", lambda: self._act_of_another_person("remove"), 1),
                ("another person edits a configuration", lambda: self._act_of_another_person("edit"), 1),
                ("a pipeline uses a configuration", self._pipeline, 1),
                ("tokens are forgotten", self._world.forget_tokens, 1),
            ]
        names, functions, weights = zip(*actions, strict=True)
        place = self._chance.choices(range(len(actions)), weights)[0]
        return names[place], functions[place]

    # Stacks

    def _deploy(self) -> None:
        chance = self._chance
        stack = chance.choice(self._stacks)
        if stack.stuck and not self._cloud.delete(stack, self._conduct()):
            return
        template = self._template(stack)
        ids = list(template)
        chance.shuffle(ids)
        conduct = self._conduct()
        self._cloud.deploy(stack, {each: template[each] for each in ids}, conduct)

    def _add_twice(self) -> None:
        """Fail to add a resource; while it is added again, deliver the first attempt's Delete again."""
        copy = RequestFaults(interruption="copy", at=self._chance.choice(_MIDDLE))
        self._add(({"Descripton": "a typo"}, ()), ({}, (copy,)))

    def _fail_search(self) -> None:
        """Leave a new resource unfinished, and let the Delete that searches for it fail to read."""
        unfinished = RequestFaults(api_faults=(ApiFaults("TagResource", Fault.DENIED, 50),))
        unreadable = RequestFaults(
            api_faults=(ApiFaults("GetDistributionConfiguration", self._chance.choice(_FAULTS), 50),)
        )
        self._add(({}, (unfinished, unreadable)))

    def _cancel_creation(self) -> None:
        """A Create is canceled before it creates its configuration, which then stays unfinished."""
        unfinished = (ApiFaults("TagResource", Fault.DENIED, 50),)
        self._add(({}, (RequestFaults(interruption="cancel", at=(1, "before"), api_faults=unfinished),)))

    def _add(self, *attempts: tuple[dict[str, str], Sequence[RequestFaults]]) -> None:
        """Add a resource to a stack that exists: each attempt with additional properties and its requests' faults."""
        stack = next((each for each in self._stacks if each.exists and not each.stuck), None)
        free = [each for each in _LOGICAL_IDS if stack and each not in stack.resources]
        if stack is None or not free:
            self._deploy()
            return
        present = {each: recorded.declared for each, recorded in stack.resources.items()}
        properties = {"Name": self._chance.choice(self._names), **self._place(), **self._content()}
        for more, faults in attempts:
            conduct = Conduct(random.Random(self._chance.getrandbits(32)), _in_order(faults))
            self._cloud.deploy(stack, {**present, free[0]: Declared({**properties, **more})}, conduct)
            self._world.clock.advance(100.0)

    def _delete_stack(self) -> None:
        self._cloud.delete(self._chance.choice(self._stacks), self._conduct())

    def _conduct(self) -> Conduct:
        chance = self._chance
        return Conduct(
            random.Random(chance.getrandbits(32)),
            _random_faults,
            fails_elsewhere=chance.random() < 0.25,
            keeps_failed=chance.random() < 0.1,
            skips_rollback=chance.random() < 0.08,
        )

    def _template(self, stack: Stack) -> dict[str, Declared]:
        """Return the next template: resources are added, removed, changed, or moved to the other logical ID."""
        chance = self._chance
        template = {each: recorded.declared for each, recorded in stack.resources.items()}
        for logical_id in _LOGICAL_IDS:
            present = logical_id in template
            draw = chance.random()
            if present and draw < 0.12 and len(template) > 1:
                del template[logical_id]
            elif present and draw < 0.75:
                template[logical_id] = self._changed(template[logical_id])
            elif not present and (draw < 0.5 or not template):
                template[logical_id] = self._new_resource()
        if chance.random() < 0.08 and len(template) == 1:
            self._move(stack, template)
        return template

    def _move(self, stack: Stack, template: dict[str, Declared]) -> None:
        """Move a configuration to another logical ID: the new one adopts it, the old one is removed."""
        (logical_id,) = template
        recorded = stack.resources.get(logical_id)
        if recorded is None:
            return
        del template[logical_id]
        other = next(each for each in _LOGICAL_IDS if each != logical_id)
        content = {k: v for k, v in recorded.declared.properties.items() if k not in (*_TARGETS, "OnDelete")}
        template[other] = Declared({**content, **_adoption(recorded.physical_id)})

    def _new_resource(self) -> Declared:
        chance = self._chance
        properties: dict[str, Any] = {**self._target(), **self._content()}
        on_delete = chance.choice(("", "", "", "Retain", "Delete"))
        if on_delete:
            properties["OnDelete"] = on_delete
        return self._with_mistakes(properties)

    def _target(self) -> dict[str, Any]:
        if self._chance.random() < 0.25:
            existing = sorted(self._world.configurations) or [arn_of(self._names[0])]
            return _adoption(self._chance.choice(existing))
        return {"Name": self._chance.choice(self._names), **self._place()}

    def _place(self) -> Properties:
        return self._chance.choice(self._places) if len(self._places) > 1 else {}

    def _content(self) -> dict[str, Any]:
        chance = self._chance
        regions = chance.sample(_REGIONS, chance.randint(1, 2))
        ami = {"Name": f"x{chance.randint(1, 3)} {{{{ imagebuilder:buildDate }}}}"}
        content: dict[str, Any] = {
            "Description": f"d{chance.randint(1, 9)}",
            "Distributions": [{"Region": region, "AmiDistributionConfiguration": ami} for region in regions],
        }
        tags = {f"t{number}": f"v{chance.randint(1, 3)}" for number in (1, 2) if chance.random() < 0.3}
        return {**content, "Tags": tags} if tags else content

    def _changed(self, declared: Declared) -> Declared:
        chance = self._chance
        properties = {key: value for key, value in declared.properties.items() if key != "Descripton"}
        draw = chance.random()
        if draw < 0.3:
            properties = {key: value for key, value in properties.items() if key != "Tags"} | self._content()
        elif draw < 0.65:
            properties = self._retargeted(properties, self._target())
            return self._with_mistakes(properties, typos=0.2)
        elif draw < 0.78:
            properties = self._retargeted(properties, self._other_spelling(properties))
        else:
            properties |= {"OnDelete": chance.choice(("Retain", "Delete"))}
        return self._with_mistakes(properties)

    def _retargeted(self, properties: Properties, target: dict[str, Any]) -> dict[str, Any]:
        rest = {k: v for k, v in properties.items() if k not in _TARGETS}
        return {**target, **rest}

    def _other_spelling(self, properties: Properties) -> dict[str, Any]:
        """Return the Name instead of the ARN of the same configuration, or the ARN instead of the Name."""
        if "Name" in properties:
            return _adoption(named_arn(properties))
        for name, place in product(self._names, self._places):
            if named_arn({"Name": name, **place}) == properties["DistributionConfigurationArn"]:
                return {"Name": name, **place}
        return self._target()

    def _with_mistakes(self, properties: dict[str, Any], typos: float = 0.08) -> Declared:
        chance = self._chance
        if chance.random() < typos:
            properties["Descripton"] = "a typo"
        if chance.random() < 0.05:
            properties["ServiceTimeout"] = "50"
        policies = ("Delete", "Delete", "Delete", "Retain")
        return Declared(properties, chance.choice(policies), chance.choice(policies))

    # Others

    def _late_copy(self) -> None:
        self._deliver_copy(self._chance.choice(self._world.history[-_RECENT:]))

    def _deliver_copy(self, sent: Sent) -> None:
        self._world.note(f"    a copy of {sent}")
        if self._world.is_ambiguous(sent):
            self._world.note("    (skipped: dates do not show that it is a copy)")
            return
        self._world.deliveries.deliver(sent)

    def _create_by_another_person(self) -> None:
        name = self._chance.choice(self._names)
        if arn_of(name) in self._world.configurations:
            return
        owner = self._chance.choice(self._stacks)
        ownership_tags = {STACK_TAG: owner.stack_id, LOGICAL_TAG: self._chance.choice(_LOGICAL_IDS)}
        tags = {"other": "people's", **(ownership_tags if self._chance.random() < 0.3 else {})}
        self._world.create_by_hand(name, tags)

    def _act_of_another_person(self, what: str) -> None:
        existing = sorted(self._world.configurations)
        if existing:
            self._tamper(what, self._chance.choice(existing))

    def _tamper(self, what: str, arn: str) -> None:
        if what == "remove":
            self._world.remove_by_hand(arn)
        else:
            self._world.edit_by_hand(arn, self._chance.choice(("content", "tags", "ownership")))

    def _pipeline(self) -> None:
        existing = sorted(self._world.configurations)
        if existing:
            arn = self._chance.choice(existing)
            self._world.note(f"    a pipeline uses {arn}")
            self._world.use_by_pipeline(arn)

    def _disturb(self, what: str, sent: Sent) -> Callable[[], None]:
        """Return an interruption of a request other than its cancellation."""

        def work() -> None:
            existing = sorted(self._world.configurations)
            if what in ("remove", "edit"):
                if existing:
                    self._tamper(what, self._chance.choice(existing))
            elif what == "duplicate":
                self._world.meanwhile(lambda: self._deliver_copy(sent))
            else:
                past = [each for each in self._world.history if each is not sent and not each.open]
                same = [each for each in past if each.resource == sent.resource]
                searching = [each for each in same if each.kind == "Delete" and not is_arn(each.physical_id)]
                if past:
                    copy = self._chance.choice(searching or same or past[-_RECENT:])
                    self._world.meanwhile(lambda: self._deliver_copy(copy))

        return work


def _adoption(arn: str) -> dict[str, Any]:
    return {"DistributionConfigurationArn": arn, **place_of(arn)}


def _in_order(faults: Sequence[RequestFaults]) -> Callable[[random.Random], RequestFaults]:
    """Return each of these for one request, then no faults."""
    left = iter(faults)
    return lambda _: next(left, RequestFaults())


def _random_faults(chance: random.Random) -> RequestFaults:
    """Return the faults of a request: mostly none."""
    draw = chance.random()
    if draw < 0.55:
        return RequestFaults()
    if draw < 0.7:
        return RequestFaults(api_faults=tuple(_random_api_faults(chance) for _ in range(chance.randint(1, 2))))
    if draw < 0.77:
        kills = tuple(_moment(chance) for _ in range(chance.choice((1, 1, 2, 3))))
        return RequestFaults(kills=kills, last_resort_fails=chance.random() < 0.5)
    if draw < 0.92:
        interruption = chance.choice(_INTERRUPTIONS)
        # If a canceled Create cannot hand over, the Delete of its generated ID must find the configuration.
        stays_unfinished = interruption == "cancel" and chance.random() < 0.4
        api_faults = (ApiFaults("TagResource", Fault.DENIED, 50),) if stays_unfinished else ()
        at = chance.choice(_MIDDLE) if interruption == "copy" else _moment(chance)
        return RequestFaults(interruption=interruption, at=at, api_faults=api_faults)
    if draw < 0.96:
        return RequestFaults(
            rejected_deliveries=chance.choice((1, 3)), last_resort_fails=chance.random() < 0.5, milliseconds=_SOON
        )
    if draw < 0.97:
        return RequestFaults(lost=True)
    if draw < 0.985:
        return RequestFaults(lag=chance.choice((0.3, 1.0)))
    return RequestFaults(milliseconds=chance.choice((3000, 6000)), api_faults=(_random_api_faults(chance),))


def _random_api_faults(chance: random.Random) -> ApiFaults:
    return ApiFaults(
        chance.choice(_OPERATIONS), chance.choice(_FAULTS), chance.choice((1, 2, 50)), chance.random() < 0.4
    )


def _moment(chance: random.Random) -> Moment:
    return chance.randint(1, 5), chance.choice(_WHEN)
