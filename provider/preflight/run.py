"""Runs all checks of a resource's parameters. Pure: `read` makes the calls."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..schema.model import Schema, pascal_case
from .checks import CHECKS
from .interface import Check, Context, DeniedError, Outcome, Read, ReadError, Result, Status
from .subjects import UNKNOWN, Subject, UnknownValueError, subjects

Reader = Callable[[Read], Mapping[str, Any] | None]
"""Makes a call and returns the response; None if it is absent. Raises DeniedError and ReadError."""

_AT_DEPLOYMENT = Outcome(
    Status.NOT_CHECKABLE,
    "the value is known only at deployment",
    "Give the value with --parameter, --import, or --resolve, or check the deployed configuration by its ARN.",
)


def run(
    parameters: Mapping[str, Any], schema: Schema, context: Context, read: Reader, checks: Iterable[Check] = CHECKS
) -> Iterator[Result]:
    """The results of the checks that apply to parameters by the API's names, from top to bottom."""
    for subject in subjects(parameters, schema):
        for check in checks:
            if not {subject.member, subject.shape}.isdisjoint(check.applies_to):
                yield from _results(check, subject, context, read)


def _results(check: Check, subject: Subject, context: Context, read: Reader) -> Iterator[Result]:
    """The check's result, if it applies to the subject."""
    action = ""
    try:
        outcome = _AT_DEPLOYMENT if subject.value is UNKNOWN else _outcome(check, subject, context, read)
    except UnknownValueError as unknown:
        outcome = _AT_DEPLOYMENT._replace(message=f"{pascal_case(str(unknown))}: {_AT_DEPLOYMENT.message}")
    except DeniedError as denied:
        action = denied.action
        message, remediation = f"you are not permitted to call {action}", f"Allow {action} to your user or role."
        outcome = Outcome(Status.NOT_CHECKABLE, message, remediation)
    except ReadError as error:
        outcome = Outcome(Status.NOT_CHECKABLE, str(error), "Correct the cause, and run preflight again.")
    if outcome is not None:
        remediation = "" if outcome.status is Status.PASS else outcome.remediation or check.remediation
        yield Result(check, subject.path, outcome._replace(remediation=remediation), action)


def _outcome(check: Check, subject: Subject, context: Context, read: Reader) -> Outcome | None:
    probe = check.probe(subject, context)
    try:
        needed = next(probe)
        while True:
            needed = probe.send(read(needed))
    except StopIteration as done:
        outcome: Outcome | None = done.value
        return outcome
