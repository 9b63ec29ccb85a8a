"""The stack before the deployment: its configurations, and who owns them, by its template or by ownership tags."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...plan import Configuration
from ...resources import CONTRIBUTION, resource_type
from ...resources.contribution import part_id
from ...resources.locations import Locations
from ...resources.ownership import Owner, Ownership, is_released_to
from ...schema.account_sources import Source
from ...schema.check import validate_properties
from ...schema.expand import expand
from ...schema.finding import Severity
from ...schema.model import NAME, ROLE, TARGET
from ...stack_engine.records import DeployedResource
from ...template.template_error import TemplateError
from .changes import CurrentConfiguration
from .evaluated_twice import EvaluatedTwice, same_target
from .live_state import LiveState, UnreadableError
from .requests import locations_of, target_of
from .stack_resources import ResolvedTarget, StackResources, find_stack_resources, removed_part, stack_ids

if TYPE_CHECKING:
    from ...ledger.parts import Part
    from .recorded_requests import RecordedRequests


@dataclass
class CurrentStack:
    """The stack that `new` is deployed to. Its state comes from `old`, its template, or else from ownership tags.

    It fills `live`, in which both templates look up references, and `notes`. `stack_name` is empty if it is unknown.
    With `any_resource`, the logical ID in ownership tags is ignored. With `ledger`, the parts that it records show the
    stack, too; `stack_id` is then the stack's ID, if it is found.
    """

    live_state: LiveState
    new: EvaluatedTwice
    live: dict[str, DeployedResource]
    old: EvaluatedTwice | None = None
    stack_name: str = ""
    any_resource: bool = False
    ledger: "RecordedRequests | None" = None
    stack_id: str = field(default="", init=False)
    notes: list[str] = field(default_factory=list)
    replacement_note: str = "another one is unknown without --previous FILE"
    """The rest of the note that starts with "whether a created configuration replaces"."""

    def find(self) -> tuple[StackResources, Mapping[str, CurrentConfiguration]]:
        """What ownership tags show, and the configurations by logical ID. Raises UserError if a read fails."""
        self._set_external_id()
        self.stack_id = self._recorded_stack() if self.ledger else ""
        found = StackResources() if self.old or self.any_resource else self._find_resources()
        before = self._configurations(self.old) if self.old else found.replaced
        self.live.clear()
        return found, before

    def locations(self, properties: Mapping[str, Any]) -> Locations:
        """The locations of a distribution configuration with these properties."""
        return locations_of(expand(properties, resource_type().schema).parameters, self.live_state.location)

    def owner(self, name: str, live: Configuration | None) -> Owner:
        """The resource, in the stack that the ownership tags name if it can be in that one, else in a new stack.

        It can be the owner in the tags, or the resource that this owner released the configuration to.
        """
        tags = live.tags if live else {}
        stack_id, logical_id, *_ = Ownership.of(tags)
        is_stack = not self.stack_name or f":stack/{self.stack_name}/" in stack_id
        if is_stack and logical_id and (self.any_resource or logical_id == name):
            return Owner(stack_id, logical_id)
        if is_stack and is_released_to(tags, Owner(stack_id, name)):
            return Owner(stack_id, name)
        return self._recorded_owner(name, live) or self.part_owner(name)

    def part_owner(self, name: str) -> Owner:
        """The resource with this logical ID, in this stack, or in a new one if it is unknown."""
        return Owner(self.stack_id or self.new.one.location.stack_id, name)

    def is_recorded(self, owner: Owner, arn: str) -> bool:
        """Whether the ledger records a part of a resource."""
        return self.ledger is not None and any(one.is_live and one.owner == owner for one in self.ledger.parts(arn))

    def has_recorded_owner(self, arn: str) -> bool:
        """Whether the ledger records an owner of a configuration."""
        return self.ledger is not None and self.ledger.owner(arn) is not None

    def recorded_accounts(
        self, name: str, desired: Mapping[str, Any], properties: Mapping[str, Any]
    ) -> Mapping[Source, list[str]]:
        """The accounts that the ledger records for the sources of a resource, by the API's and the user's names."""
        if self.ledger is None:
            return {}
        from .recorded_requests import recorded_accounts

        locations, target = self.locations(properties), target_of(desired)
        live = None if TARGET in desired else self.live_state.read(target, locations)
        arn = self.live_state.arn(target, locations)
        owner = self._recorded_owner(name, live) or self.part_owner(name)
        return recorded_accounts(next((one for one in self.ledger.parts(arn) if one.owner == owner), None))

    def removed_parts(self) -> Iterator[tuple[str, CurrentConfiguration]]:
        """The recorded parts of the stack's resources that the template lacks, without its previous template.

        They are looked for only in the configurations of the template's resources.
        """
        if self.ledger is None or self.old or not self.stack_id:
            return
        for arn in [*self.ledger.arns]:
            for part in self.ledger.parts(arn):
                name = part.owner.logical_id
                is_own = part.owner.stack_id == self.stack_id and not part.is_owner
                if is_own and part.is_live and name not in self.new.one.order:
                    yield name, removed_part(name, arn)

    def _recorded_owner(self, name: str, live: Configuration | None) -> Owner | None:
        """The recorded owner of a configuration if it can be this resource; it need not have ownership tags."""
        if self.ledger is None or live is None:
            return None
        for part in self.ledger.parts(live.arn):
            is_stack = part.owner.stack_id == self.stack_id if self.stack_id else self._may_be(part.owner.stack_id)
            if part.is_owner and part.is_live and is_stack and (self.any_resource or part.owner.logical_id == name):
                return part.owner
        return None

    def _may_be(self, stack_id: str) -> bool:
        return not self.stack_name or f":stack/{self.stack_name}/" in stack_id

    def _recorded_stack(self) -> str:
        """The ID of the stack that owns the template's configurations, or has a part of one; empty if there is none."""
        configurations = [self._configurations(template) for template in (self.old, self.new) if template]
        self.live.clear()
        ids = {stack_id for each in configurations for stack_id in self._owning_stacks(self._read(each))}
        return ids.pop() if len(ids) == 1 else self._stack_with_parts(configurations)

    def _stack_with_parts(self, configurations: Iterable[Mapping[str, CurrentConfiguration]]) -> str:
        """The ID of the stack with this name that has parts of these configurations; empty, with notes, if none has."""
        found = [*self._recorded_parts(configurations)]
        start = f":stack/{self.stack_name or self.new.one.location.stack_name}/"
        own = [part for _, part in found if start in part.owner.stack_id]
        if own:
            return max(own, key=lambda part: part.revision).owner.stack_id
        if not self.stack_name:
            similar = {part.owner for name, part in found if part.owner.logical_id == name and not part.is_owner}
            self.notes += (f"{one} has a part; if FILE is for that stack, use --stack-name" for one in _names(similar))
        return ""

    def _recorded_parts(
        self, configurations: Iterable[Mapping[str, CurrentConfiguration]]
    ) -> Iterator[tuple[str, "Part"]]:
        """The recorded parts of configurations, each with the logical ID of the configuration's resource."""
        assert self.ledger is not None
        for name, one in (item for each in configurations for item in each.items()):
            yield from ((name, part) for part in (self.ledger.parts(one.arn) if one.arn else ()) if part.is_live)

    def owns(self, name: str, live: Configuration) -> bool:
        """Whether a resource owns a configuration."""
        return self.owner(name, live).state_of(live.tags) is not None

    def unreadable(self, template: EvaluatedTwice, name: str) -> str:
        """The reason why the effect of a resource cannot be planned; empty if it can."""
        return "" if self.ledger and template.one.type(name) == CONTRIBUTION else template.unreadable(name)

    def remember(
        self, name: str, type_name: str, arn: str, desired: Mapping[str, Any], properties: dict[str, Any]
    ) -> None:
        """Make the physical ID and the attributes of a resource available to `Ref` and `Fn::GetAtt`."""
        live = Configuration(arn, str(desired.get(NAME, arn.rpartition("/")[2])), {}, {})
        data = resource_type(type_name).attribute_values(live, desired, None)
        physical_id = part_id(arn, self.part_owner(name)) if type_name == CONTRIBUTION else arn
        self.live[name] = DeployedResource(name, type_name, physical_id, properties, data, "", "")

    def _set_external_id(self) -> None:
        """Assume roles for the stack if configurations that need no role show its ID, else for a new stack."""
        self.live_state.assume_roles_for(self.new.one.location.stack_id)
        templates = [template for template in (self.old, self.new) if template]
        if not any(map(_has_roles, templates)):
            return
        ids = {stack_id for template in templates for stack_id in self._stacks_without_roles(template)}
        self.live.clear()
        if not ids and self.stack_name:
            ids = stack_ids(self.live_state.owned([self.locations({})]), self.live_state.location, self.stack_name)
        if len(ids) == 1:
            self.live_state.assume_roles_for(ids.pop())

    def _stacks_without_roles(self, template: EvaluatedTwice) -> set[str]:
        """The IDs of the stacks that own the configurations of a template's resources without a role."""
        names = [name for name in template.provider_resources() if not _has_role(template, name)]
        return self._owning_stacks(self._read(self._configurations(template, names)))

    def _find_resources(self) -> StackResources:
        """The configurations with the stack's ownership tags, if the stack is known."""
        located = self._located()
        live = self._read(located)
        ids = self._owning_stacks(live)
        if not ids and not self.stack_name:
            self.replacement_note = "another one is unknown without --stack-name NAME or --previous FILE"
            return StackResources()
        owned = self.live_state.owned(
            self.locations(one) for one in ({}, *(one.properties for one in located.values()))
        )
        stack_id = self._only_stack(ids or stack_ids(owned, self.live_state.location, self.stack_name))
        if not stack_id:
            return StackResources()
        targets = {name: ResolvedTarget(one.arn, name in live) for name, one in located.items()}
        return find_stack_resources(owned, stack_id, targets, self.new.provider_resources())

    def _located(self) -> dict[str, CurrentConfiguration]:
        """The configurations of the template's configuration resources whose ARNs are known, by logical ID."""
        owning = [name for name in self.new.provider_resources() if self.new.one.type(name) != CONTRIBUTION]
        return {name: one for name, one in self._configurations(self.new, owning).items() if one.arn}

    def _read(self, located: Mapping[str, CurrentConfiguration]) -> dict[str, Configuration]:
        """The configurations that exist and can be read, by logical ID."""
        return {name: found for name, one in located.items() if (found := self._live(one.arn, one.properties))}

    def _live(self, arn: str, properties: Mapping[str, Any]) -> Configuration | None:
        if not arn:
            return None
        try:
            return self.live_state.read(arn, self.locations(properties))
        except UnreadableError:
            return None

    def _owning_stacks(self, live: Mapping[str, Configuration]) -> set[str]:
        """The IDs of the stacks that own these configurations, given by logical ID."""
        return {Ownership.of(one.tags).stack_id for name, one in live.items() if self.owns(name, one)}

    def _only_stack(self, ids: set[str]) -> str:
        """The only stack's ID; empty, with a note, if there is none, or if there are several."""
        if len(ids) > 1:
            self.notes.append(
                "the ownership tags name several stacks, so replacements and deletions are unknown without "
                f"--previous FILE: {', '.join(sorted(ids))}"
            )
            return ""
        self.replacement_note = "an adopted one is unknown without --previous FILE"
        if not ids:
            self.replacement_note += f"; no configuration has the ownership tags of a stack named {self.stack_name}"
        return next(iter(ids), "")

    def _configurations(
        self, template: EvaluatedTwice, names: list[str] | None = None
    ) -> dict[str, CurrentConfiguration]:
        """The configuration that each resource of a template has once the template is deployed."""
        names = template.provider_resources() if names is None else names
        return dict(filter(None, (self._configuration(template, name) for name in names)))

    def _configuration(self, template: EvaluatedTwice, name: str) -> tuple[str, CurrentConfiguration] | None:
        """The configuration of a resource with its logical ID. None if the resource cannot have been deployed."""
        resource = template.type_of(name)
        try:
            properties, others = template.properties(name)
        except TemplateError:
            return name, CurrentConfiguration("", {})
        expanded = expand(properties, resource.schema)
        desired = expanded.parameters
        if any(one.severity is Severity.ERROR for one in validate_properties(expanded, resource.rules)):
            return None
        if self.unreadable(template, name) or not same_target(desired, expand(others, resource.schema).parameters):
            return name, CurrentConfiguration("", properties)
        if template.one.type(name) == CONTRIBUTION:
            self.remember(name, CONTRIBUTION, desired[TARGET], desired, properties)
            return name, CurrentConfiguration(desired[TARGET], properties)
        target, locations = target_of(desired), self.locations(properties)
        try:
            live = self.live_state.read(target, locations)
        except UnreadableError:
            live = None
        arn = live.arn if live else self.live_state.arn(target, locations)
        self.remember(name, template.one.type(name), arn, desired, properties)
        return name, CurrentConfiguration(arn, properties)


def _names(owners: Iterable[Owner]) -> list[str]:
    return [f"{owner.logical_id} of stack {owner.stack_id}" for owner in sorted(owners)]


def _has_roles(template: EvaluatedTwice) -> bool:
    """Whether a resource of a template has a role, perhaps under a condition."""
    return any(_has_role(template, name) for name in template.provider_resources())


def _has_role(template: EvaluatedTwice, name: str) -> bool:
    """Whether a resource has a role, perhaps under a condition."""
    properties, spellings = template.one.template.resources[name]["Properties"], template.type_of(name).schema.spellings
    return any(spellings.get(key) == ROLE for key in properties)
