"""Renders findings as text with source lines, as JSON, as SARIF, and as GitHub annotations."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from ..lint.diagnostic import Diagnostic

_DISTRIBUTION = "image-builder-distribution-provider"
_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_COLORS = {"error": "red", "warning": "yellow"}


@dataclass(frozen=True)
class Report:
    """The number of files and resources that were checked, and the findings."""

    files: int
    resources: int
    diagnostics: tuple[Diagnostic, ...]

    def count(self, severity: str) -> int:
        """The number of findings with that severity."""
        return sum(one.severity.value == severity for one in self.diagnostics)


def human(report: Report) -> str:
    """Each finding with its source line, as compilers show it, and a summary."""
    return "\n".join([*map(_block, report.diagnostics), _summary(report)])


def _block(one: Diagnostic) -> str:
    severity = click.style(f"{one.severity.value} {one.id}", fg=_COLORS[one.severity.value], bold=True)
    head = f"{one.file}:{one.position.line}:{one.position.column}: {severity}: {one.message}"
    if not one.line.strip():
        return head
    number = f"{one.position.line:5}"
    caret = click.style("^" * one.position.width, fg=_COLORS[one.severity.value])
    shown = one.line.replace("\t", " ")
    return f"{head}\n{number} | {shown}\n{' ' * len(number)} | {' ' * (one.position.column - 1)}{caret}\n"


def _summary(report: Report) -> str:
    files = _counted(report.files, "file")
    if report.diagnostics:
        counts = f"{_counted(report.count('error'), 'error')}, {_counted(report.count('warning'), 'warning')}"
    elif not report.resources:
        return f"No resources of this provider found in {files}."
    else:
        counts = "No problems found"
    return f"{counts}: {_counted(report.resources, 'resource')} in {files}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def as_json(report: Report) -> str:
    """One object with the number of files, resources, errors, and warnings, and the findings."""
    findings = [
        {
            "file": one.file,
            "line": one.position.line,
            "column": one.position.column,
            "endColumn": one.position.column + one.position.width,
            "severity": one.severity.value,
            "id": one.id,
            "resource": one.resource,
            "message": one.message,
        }
        for one in report.diagnostics
    ]
    counts = {"files": report.files, "resources": report.resources}
    counts |= {f"{severity}s": report.count(severity) for severity in _COLORS}
    return json.dumps({**counts, "findings": findings}, indent=2, ensure_ascii=False)


def sarif(report: Report) -> str:
    """A SARIF 2.1.0 log of one run, for code scanning."""
    from ..lint.catalog import CHECKS
    from ..template.structure import RULES

    rules = [sarif_rule(id_, title, f"{title}. The ID is cfn-lint's.", "error") for id_, title in RULES.items()]
    rules += [
        sarif_rule(check.id, check.title, f"{check.title}. Source: {check.source}.", check.severity.value)
        | {"name": check.rule}
        for check in CHECKS.values()
    ]
    return sarif_log(rules, report.diagnostics)


def sarif_log(
    rules: list[dict[str, Any]],
    diagnostics: Iterable[Diagnostic],
    level: Callable[[Diagnostic], str] = lambda one: one.severity.value,
) -> str:
    """A SARIF 2.1.0 log of one run, with its rules, and the level of each result."""
    from importlib.metadata import PackageNotFoundError, version

    driver: dict[str, Any] = {"name": _DISTRIBUTION, "rules": rules}
    with suppress(PackageNotFoundError):
        driver["semanticVersion"] = version(_DISTRIBUTION)
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": _results(diagnostics, rules, level),
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def sarif_rule(id_: str, title: str, description: str, level: str) -> dict[str, Any]:
    """A rule with the members that GitHub's code scanning requires."""
    return {
        "id": id_,
        "shortDescription": {"text": title},
        "fullDescription": {"text": description},
        "help": {"text": description},
        "defaultConfiguration": {"level": level},
    }


def _results(
    diagnostics: Iterable[Diagnostic], rules: list[dict[str, Any]], level: Callable[[Diagnostic], str]
) -> list[dict[str, Any]]:
    positions = {rule["id"]: index for index, rule in enumerate(rules)}
    return [
        {
            "ruleId": one.id,
            "ruleIndex": positions[one.id],
            "level": level(one),
            "message": {"text": one.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(one.file)},
                        "region": {
                            "startLine": one.position.line,
                            "startColumn": one.position.column,
                            "endLine": one.position.line,
                            "endColumn": one.position.column + one.position.width,
                        },
                    }
                }
            ],
        }
        for one in diagnostics
    ]


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def github(report: Report) -> str:
    """Workflow commands that annotate the lines of a pull request."""
    return "\n".join(_annotation(one) for one in report.diagnostics)


def _annotation(one: Diagnostic) -> str:
    values = {
        "file": one.file,
        "line": one.position.line,
        "col": one.position.column,
        "endColumn": one.position.column + one.position.width,
        "title": one.id,
    }
    properties = ",".join(
        f"{name}={_escaped(str(value)).replace(':', '%3A').replace(',', '%2C')}" for name, value in values.items()
    )
    return f"::{one.severity.value} {properties}::{_escaped(one.message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


FORMATS: dict[str, Callable[[Report], str]] = {"human": human, "json": as_json, "sarif": sarif, "github": github}
"""The formats by their names for `--format`."""
