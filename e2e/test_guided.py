"""`sam deploy` asks before it changes a stack, so that a guided deployment cannot widen the role by accident.

In a guided deployment, SAM offers the template's defaults, not the stack's values. It cannot be told otherwise.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.account import Account
from e2e.conftest import Application
from e2e.tools import BIN, CERTIFICATE, ROOT, SAM, environment
from provider.template.sections import load

NARROW = {"NamePattern": "golden-*", "LaunchTemplates": "Denied"}
QUESTIONS = ("name", "Region", "confirm", "roles", "rollback")
"""The questions besides those about parameters, before the one about saving."""
SAVED = ("configuration file", "environment")
"""The questions after Enter at the one about saving."""


@dataclass(frozen=True)
class Guided:
    """`sam deploy` to a stack of its own, with a copy of samconfig.toml."""

    account: Account
    template: Path
    home: Path
    stack: str = "guided"

    @property
    def settings(self) -> Path:
        return self.home / "samconfig.toml"

    def deploy(self, *options: str, answers: str) -> str:
        """Run `sam deploy` with these answers and return its output. Raises AssertionError if SAM fails."""
        command = [str(BIN / "sam"), "deploy", "--template-file", str(self.template)]
        url = self.account.stacks.meta.endpoint_url
        ran = subprocess.run(
            [*command, "--config-file", str(self.settings), *options],
            input=answers,
            env=environment(self.home, **SAM, AWS_ENDPOINT_URL=url, AWS_CA_BUNDLE=str(CERTIFICATE)),
            cwd=self.home,
            check=False,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def reset(self) -> None:
        """Restore the settings, as `git checkout samconfig.toml` does, with another name of the stack."""
        text = (ROOT / "samconfig.toml").read_text("utf-8")
        self.settings.write_text(text.replace("image-builder-distribution-provider", self.stack), "utf-8")

    @property
    def parameters(self) -> dict[str, str]:
        """The stack's parameters."""
        (stack,) = self.account.stacks.describe_stacks(StackName=self.stack)["Stacks"]
        return {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}

    @property
    def enters(self) -> int:
        """The number of questions before the one about saving."""
        return len(load(self.template).parameters) + len(QUESTIONS)


@pytest.fixture(scope="module")
def guided(account: Account, application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guided]:
    """A stack that was deployed with a guided deployment, with Enter at all questions but the last two."""
    result = Guided(account, application.template, tmp_path_factory.mktemp("guided"))
    result.reset()
    before = result.settings.read_text("utf-8")
    result.deploy("--guided", answers="\n" * result.enters + "n\ny\n")
    assert account.settled(result.stack) == "CREATE_COMPLETE"
    assert result.settings.read_text("utf-8") == before
    yield result
    assert account.delete(result.stack) == "DELETE_COMPLETE"


def test_parameters_keep_their_values(guided: Guided) -> None:
    """Parameters that are not passed keep their values, if the change set is confirmed."""
    overrides = [f"{name}={value}" for name, value in NARROW.items()]
    guided.deploy("--parameter-overrides", *overrides, answers="y\n")
    guided.deploy("--parameter-overrides", "LogLevel=DEBUG", answers="y\n")
    assert guided.parameters.items() >= {**NARROW, "LogLevel": "DEBUG"}.items()


def test_enter_deploys_nothing(guided: Guided) -> None:
    """With Enter at the last question, `sam deploy` deploys nothing."""
    shown = guided.deploy("--parameter-overrides", "LogLevel=WARN", answers="\n")
    assert "Deploy this changeset? [y/N]" in shown
    assert guided.parameters["LogLevel"] == "DEBUG"


def test_enter_at_every_question_does_not_widen_the_role(guided: Guided) -> None:
    """With Enter at every question, a guided deployment shows the change of the role, and deploys nothing."""
    shown = guided.deploy("--guided", answers="\n" * (guided.enters + len(("save", *SAVED, "deploy"))))
    assert "Modify" in shown
    assert "ProviderRole" in shown
    assert guided.parameters.items() >= NARROW.items()
    assert guided.account.settled(guided.stack) == "UPDATE_COMPLETE"
    guided.reset()


def test_a_guided_deployment_replaces_the_values(guided: Guided) -> None:
    """As the docs warn, SAM offers the defaults, and deploys them if the change set is confirmed."""
    guided.deploy("--guided", answers="\n" * guided.enters + "n\ny\n")
    assert (guided.parameters["NamePattern"], guided.parameters["LaunchTemplates"]) == ("*", "Allowed")
