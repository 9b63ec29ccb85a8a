"""The stack before the deployment: its configurations, and who owns them, by its template or by ownership tags."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...plan import Configuration
from ...resources import DISTRIBUTION_CONFIGURATION, resource_type
from ...resources.locations import Locations
from ...resources.ownership import Owner, Ownership, is_released_to
from ...schema.check import validate_properties
from ...schema.expand import expand
from ...schema.finding import Severity
from ...schema.model import NAME, ROLE
from ...stack_engine.records import DeployedResource
from ...template.template_error import TemplateError
from .changes import CurrentConfiguration
from .evaluated_twice import EvaluatedTwice, same_target
from .live_state import LiveState, UnreadableError
from .requests import locations_of, target_of
from .stack_resources import ResolvedTarget, StackResources, find_stack_resources, stack_ids


@dataclass
class CurrentStack:
    """The stack that `new` is deployed to. Its state comes from `old`, its template, or else from ownership tags.

    It fills `live`, in which both templates look up references, and `notes`. `stack_name` is empty if it is unknown.
    With `any_resource`, the logical ID in ownership tags is ignored.
    """

    live_state: LiveState
    new: EvaluatedTwice
    live: dict[str, DeployedResource]
    old: EvaluatedTwice | None = None
    stack_name: str = ""
    any_resource: bool = False
    notes: list[str] = field(default_factory=list)
    replacement_note: str = "another one is unknown without --previous FILE"
    """The rest of the note that starts with "whether a created configuration replaces"."""

    def find(self) -> tuple[StackResources, Mapping[str, CurrentConfiguration]]:
        """What ownership tags show, and the configurations by logical ID. Raises UserError if a read fails."""
        self._set_external_id()
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
        return Owner(self.new.one.location.stack_id, name)

    def owns(self, name: str, live: Configuration) -> bool:
        """Whether a resource owns a configuration."""
        return self.owner(name, live).state_of(live.tags) is not None

    def remember(self, name: str, arn: str, desired: Mapping[str, Any], properties: dict[str, Any]) -> None:
        """Make the resource's physical ID and attributes available to `Ref` and `Fn::GetAtt`."""
        live = Configuration(arn, str(desired.get(NAME, arn.rpartition("/")[2])), {}, {})
        data = resource_type().attribute_values(live, desired, None)
        self.live[name] = DeployedResource(name, DISTRIBUTION_CONFIGURATION, arn, properties, data, "", "")

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
        located = {name: one for name, one in self._configurations(self.new).items() if one.arn}
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
        if template.unreadable(name) or not same_target(desired, expand(others, resource.schema).parameters):
            return name, CurrentConfiguration("", properties)
        target, locations = target_of(desired), self.locations(properties)
        try:
            live = self.live_state.read(target, locations)
        except UnreadableError:
            live = None
        arn = live.arn if live else self.live_state.arn(target, locations)
        self.remember(name, arn, desired, properties)
        return name, CurrentConfiguration(arn, properties)


def _has_roles(template: EvaluatedTwice) -> bool:
    """Whether a resource of a template has a role, perhaps under a condition."""
    return any(_has_role(template, name) for name in template.provider_resources())


def _has_role(template: EvaluatedTwice, name: str) -> bool:
    """Whether a resource has a role, perhaps under a condition."""
    properties, spellings = template.one.template.resources[name]["Properties"], template.type_of(name).schema.spellings
    return any(spellings.get(key) == ROLE for key in properties)
