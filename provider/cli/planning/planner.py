"""Plans the deployment of a template with the handler's own decisions. Live configurations are only read.

A template does not name its stack, and CloudFormation is not called. So ownership tags show a configuration's owner.
Placeholders replace the values that are known only at deployment. Each value is evaluated twice, with different
placeholders: if the results differ, the value depends on a placeholder.
"""

from collections.abc import Iterable, Mapping
from itertools import starmap
from typing import TYPE_CHECKING, Any

from ...errors import ProviderError
from ...plan import Plan
from ...resources import CONTRIBUTION
from ...resources.ownership import Ownership, State, is_shared
from ...schema.account_sources import Source, find_sources
from ...schema.check import validate_properties
from ...schema.diff import ABSENT, differences
from ...schema.expand import Expanded, expand
from ...schema.finding import Finding, Severity, Spelling
from ...schema.model import TARGET
from ...schema.rules import RESOLVED_ONCE, Rule
from ...stack_engine.deployment import AttributeMissingError
from ...template.template_error import TemplateError
from ..source_values import SourceValues
from .changes import DEPENDS_ON_DEPLOYMENT, Action, Change, CurrentConfiguration
from .current_stack import CurrentStack
from .deletions import Deletions, update_rejection
from .evaluated_twice import depends_on_placeholder, same_target
from .live_state import UnreadableError, UnreadableLedgerError
from .planned_requests import PlannedRequests
from .requests import request, target_of
from .sources import PlannedProperties, with_given_accounts

if TYPE_CHECKING:
    from .recorded_changes import MergedConfiguration

_IF_ADOPTED = (
    "{} exists without this resource's ownership tags. If the deployed template adopts it with this resource, the "
    "resource becomes its owner; otherwise, the deployment is refused, because the name is in use. To find out, use "
    "--previous FILE with the deployed template"
)
_IF_RELEASED = (
    "{} was released by {} to a resource that adopted it. Whether that is this resource is unknown, because the ID of "
    "this resource's stack is unknown"
)
_IF_SHARED = (
    "{} is shared: it also has the parts of other stacks, and the deployment keeps them. Only the provider's ledger "
    "shows which values are theirs. To let plan read it, use --table NAME; the output LedgerTableName of the "
    "provider's stack has the name"
)
_NO_LEDGER = "the ledger is not read: {}"


class Planner:
    """Plans one deployment to `stack`."""

    def __init__(self, stack: CurrentStack, sources: SourceValues) -> None:
        """Prepare a plan. `sources` has the given accounts of account sources."""
        self.stack, self.new, self.old = stack, stack.new, stack.old
        self._live_state, self._sources = stack.live_state, sources
        self._requests = PlannedRequests(stack)
        self._deletions = Deletions(stack, self._requests)

    def changes(self) -> list[Change]:
        """The change of each of the provider's resources, the removed ones last. Raises UserError if a read fails.

        If the ledger cannot be read, a note says so, and the plan is that without it.
        """
        state = self._live_state.state()
        try:
            return self._changes()
        except UnreadableLedgerError as error:
            self.stack.notes[:] = [_NO_LEDGER.format(error)]
        self.stack.ledger = None
        self._live_state.restore(state)
        return self._changes()

    def merged(self) -> "list[MergedConfiguration]":
        """The configurations of the planned requests after the deployment, as far as the ledger records them."""
        if self.stack.ledger is None:
            return []
        from .recorded_changes import merged_configuration

        ledger = self.stack.ledger
        found = [merged_configuration(arn, ledger.parts(arn)) for arn in ledger.arns]
        return [one for one in found if one.holdings]

    def _changes(self) -> list[Change]:
        found, before = self.stack.find()
        order = self.new.provider_resources()
        changes = {name: self._plan_resource(name, before.get(name)) for name in order}
        removed: dict[str, Change] = {}
        # After all updates, CloudFormation deletes what was replaced or removed, the last created one first.
        for name, one in reversed([*before.items()]):
            if name not in order:
                removed[name] = self._deletions.removed(name, one)
            elif changes[name].replaced:
                changes[name] = changes[name]._replace(replaced=self._deletions.replaced(name, one))
        withdrawn = [self._deletions.withdrawn(name, one) for name, one in self.stack.removed_parts()]
        return [
            *(
                one._replace(warnings=(*one.warnings, *found.warnings.get(one.logical_id, ())))
                for one in changes.values()
            ),
            *(removed[name] for name in before if name in removed),
            *withdrawn,
            *starmap(self._deletions.not_in_template, found.removed),
        ]

    def _plan_resource(self, name: str, before: CurrentConfiguration | None) -> Change:
        try:
            properties, others = self.new.properties(name)
        except AttributeMissingError:
            return Change(name, Action.UNKNOWN, reason=DEPENDS_ON_DEPLOYMENT)
        except TemplateError as error:
            return Change(name, Action.UNKNOWN, reason=str(error))
        if rejection := update_rejection(self.stack, name, before, properties):
            return Change(name, Action.REFUSED, reason=rejection)
        change, plan = self._plan_properties(name, properties, others, before)
        if before and before.properties == properties:
            if self.stack.ledger and change.owners is not None:
                self.stack.ledger.undo()
            change = _without_request(change)
        else:
            self._live_state.create(plan, self.stack.locations(properties))
        if change.arn:
            desired = expand(properties, self.new.type_of(name).schema).parameters
            self.stack.remember(name, self.new.one.type(name), change.arn, desired, properties)
        return change

    def _plan_properties(
        self, name: str, properties: dict[str, Any], others: dict[str, Any], before: CurrentConfiguration | None
    ) -> tuple[Change, Plan]:
        resource = self.new.type_of(name)
        expanded, twin = expand(properties, resource.schema), expand(others, resource.schema)
        found = validate_properties(expanded, self._rules(name))
        findings = _certain(found, expanded.checked, twin.checked)
        type_name = self.new.one.type(name)
        change = Change(name, Action.REFUSED, findings=findings, properties=properties, type_name=type_name)
        if problems := _problems(findings):
            return change._replace(reason=problems), Plan()
        if unreadable := self.stack.unreadable(self.new, name):
            return change._replace(action=Action.UNKNOWN, reason=unreadable), Plan()
        desired, other = expanded.parameters, twin.parameters
        is_known = same_target(desired, other) and (before is None or before.arn)
        if not is_known or "type" in {one.rule for one in found}:
            return change._replace(action=Action.UNKNOWN, reason=DEPENDS_ON_DEPLOYMENT), Plan()
        try:
            return self._plan_sources(change, expanded, twin, before)
        except UnreadableError as error:
            return self._unreadable(change._replace(reason=str(error)), desired, before), Plan()

    def _unreadable(self, change: Change, desired: Mapping[str, Any], before: CurrentConfiguration | None) -> Change:
        """The unknown change of a resource whose location cannot be read."""
        arn = self._live_state.arn(target_of(desired), self.stack.locations(change.properties))
        return change._replace(action=Action.UNKNOWN, arn=arn, replaced=_if_replaced(change.logical_id, arn, before))

    def _plan_sources(
        self, change: Change, expanded: Expanded, twin: Expanded, before: CurrentConfiguration | None
    ) -> tuple[Change, Plan]:
        """The change of a resource with the accounts that are given for its account sources."""
        name, rules = change.logical_id, self._rules(change.logical_id)
        recorded = self.stack.recorded_accounts(name, expanded.parameters, change.properties)
        values = self._sources.with_recorded(recorded)
        planned = with_given_accounts(expanded, twin, values, rules)
        change = change._replace(findings=(*change.findings, *planned.findings))
        if problems := _problems(planned.findings):
            return change._replace(reason=problems), Plan()
        self._note_sources(change, expanded, planned, recorded)
        change = change._replace(has_unknown_sources=bool(planned.unknown))
        return self._plan_valid(change, expanded, twin, planned, before)

    def _rules(self, name: str) -> tuple[Rule, ...]:
        """The rules about a resource. With the ledger, sweeps resolve its sources again."""
        rules = self.new.type_of(name).rules
        return tuple(one for one in rules if one.id != RESOLVED_ONCE) if self.stack.ledger else rules

    def _note_sources(
        self, change: Change, expanded: Expanded, planned: PlannedProperties, recorded: Mapping[Source, list[str]]
    ) -> None:
        """Note the sources whose accounts are not given."""
        spelling = Spelling(change.properties, expanded.schema)
        for path, source in find_sources(expanded.parameters, expanded.schema).items():
            text = f"{change.logical_id}: {spelling.text(path[:-1])} depends on {source}, which plan does not read"
            if path in planned.unknown:
                self.stack.notes.append(f"{text}; to give its accounts, use --resolve {source.id}=ACCOUNTS")
            elif self._sources.given(source) is None:
                count = len(recorded[source])
                self.stack.notes.append(
                    f"{text}; its {count} accounts are those that the ledger records. To give others, use --resolve "
                    f"{source.id}=ACCOUNTS"
                )

    def _plan_valid(
        self,
        change: Change,
        expanded: Expanded,
        twin: Expanded,
        planned: PlannedProperties,
        before: CurrentConfiguration | None,
    ) -> tuple[Change, Plan]:
        """The change of a resource whose properties are valid, according to the handler."""
        name, desired = change.logical_id, planned.desired
        if not self.stack.ledger:
            live = self._live_state.read(target_of(desired), self.stack.locations(change.properties))
            if live and is_shared(live.tags):
                return change._replace(action=Action.UNKNOWN, reason=_IF_SHARED.format(live.arn)), Plan()
        request = self._requests.request(name, desired, change.properties, before)
        try:
            change, plan = self._requests.plan(change, request, planned, expanded)
        except ProviderError as rejection:
            refused = change._replace(reason=str(rejection))
            if not self._requests.is_certain(rejection, request, planned, twin):
                reason = f"{rejection}. That depends on a value that is known only at deployment"
                return refused._replace(action=Action.UNKNOWN, reason=reason), Plan()
            if change.type_name == CONTRIBUTION:
                return refused._replace(arn=desired[TARGET]), Plan()
            return self._unless_adopted(refused, desired, before), Plan()
        # A value that exists only with the other placeholders is not in the template.
        schema = self.new.type_of(name).schema
        found = differences(desired, planned.other, schema)
        change = change._replace(placeholders=tuple(one.path for one in found if one.old is not ABSENT))
        if replaced := _if_replaced(name, change.arn, before):
            change = change._replace(action=Action.REPLACE, replaced=replaced)
        return change, plan

    def _unless_adopted(
        self, refused: Change, desired: Mapping[str, Any], before: CurrentConfiguration | None
    ) -> Change:
        """The refused change; an unknown one if this resource may have adopted the configuration of its Name.

        Then it may be an Update, which is not refused. Ownership tags do not show which resource has adopted it.
        """
        live = self._live_state.read(target_of(desired), self.stack.locations(refused.properties))
        if live is None or TARGET in desired or (self.old and before is None):
            return refused
        if self.stack.has_recorded_owner(live.arn):
            return refused
        ownership = Ownership.of(live.tags)
        reason = _IF_RELEASED.format(live.arn, ownership) if self.old else _IF_ADOPTED.format(live.arn)
        possible = refused._replace(action=Action.UNKNOWN, arn=live.arn, reason=reason)
        if ownership.state is State.RELEASED:
            return possible
        if self.old:
            return refused
        owner = self.stack.owner(refused.logical_id, live)
        try:
            plan = self._requests.decide(request("Update", owner, live.arn, refused.properties), desired)
        except ProviderError:
            return refused
        return possible._replace(differences=plan.differences)


def _if_replaced(name: str, arn: str, before: CurrentConfiguration | None) -> Change | None:
    """The change of the replaced configuration, which is planned later; None if it is not replaced."""
    return Change(name, Action.UNKNOWN, before.arn) if before and arn != before.arn else None


def _certain(found: Iterable[Finding], one: Any, other: Any) -> tuple[Finding, ...]:
    """The findings that do not depend on placeholders, which differ in the two evaluations."""
    return tuple(finding for finding in found if not depends_on_placeholder(finding.path, one, other))


def _without_request(change: Change) -> Change:
    """The change of a resource whose properties are unchanged: none, or the drift that stays."""
    known = [one for one in change.differences if one.path not in change.placeholders]
    is_unknown = change.action is Action.UNKNOWN or (change.has_unknown_sources and not known)
    action = Action.NONE if change.action is Action.NONE or is_unknown else Action.DRIFT
    unchanged = "the properties are unchanged, so CloudFormation sends nothing"
    # The handler is not invoked, so its warnings do not apply.
    warnings = change.warnings if action is Action.NONE else ()
    reason = "; ".join(filter(None, (change.reason, unchanged)))
    return change._replace(action=action, reason=reason, warnings=warnings)


def _problems(findings: Iterable[Finding]) -> str:
    errors = sum(one.severity is Severity.ERROR for one in findings)
    count = "1 problem" if errors == 1 else f"{errors} problems"
    return f"{count} with the properties; no API calls are made" if errors else ""
