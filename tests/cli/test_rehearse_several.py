"""`rehearse --with`: several stacks that share a configuration, as a user rehearses them."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from provider.cli import ledger_emulator
from provider.cli.template_files import stack_names
from tests.cli.commands import EXAMPLES, ROOT, Ended, command, process
from tests.ledger.dynamodb import require_ledger

SHARED = EXAMPLES / "shared"
OWNER, TEAM_A, TEAM_B, TEAM_C = (
    SHARED / name for name in ("owner.yaml", "team-a.yaml", "team-b.yaml", "team-c-in-conflict.yaml")
)
GOLDEN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden-image"

Steps = list[tuple[str, str]]


@pytest.fixture
def rehearse() -> Callable[..., Ended]:
    """Rehearses the first templates as one stack, and each of the others as a stack of its own."""
    require_ledger()

    def run(*templates: Path, others: tuple[Path, ...], options: tuple[str, ...] = ()) -> Ended:
        return command("rehearse", *templates, *(part for one in others for part in ("--with", one)), *options)

    return run


def steps(shown: str) -> Steps:
    """The headings of an output, each with what follows."""
    parts = re.split(r"^(?=(?:Create|Update|Delete|Rehearsal) )", shown, flags=re.MULTILINE)[1:]
    return [(heading, body) for heading, _, body in (part.partition("\n") for part in parts)]


def live(body: str) -> str:
    """The content of the shared configuration after a step."""
    return body.partition(f"{GOLDEN} is now:")[2]


def test_the_whole_lifecycle(rehearse: Callable[..., Ended]) -> None:
    """The stacks are created in the given order and deleted in the reverse one; each step shows the merged content."""
    ended = rehearse(OWNER, others=(TEAM_A, TEAM_B))
    assert ended.status == 0, ended.stdout
    found = steps(ended.stdout)
    assert [heading for heading, _ in found] == [
        "Create owner from owner.yaml",
        "Create team-a from team-a.yaml",
        "Create team-b from team-b.yaml",
        "Delete team-b",
        "Delete team-a",
        "Delete owner",
        "Rehearsal succeeded: the stacks were created and deleted.",
    ]
    _, a, b, without_b, without_a, *_ = (body for _, body in found)
    for body, accounts in (
        (a, {"111122223333", "210987654321"}),
        (b, {"111122223333", "210987654321", "444455556666"}),
        (without_b, {"111122223333", "210987654321"}),
        (without_a, {"210987654321"}),
    ):
        assert set(re.findall(r"- \"?(\d{12})\"?", live(body))) == accounts
    assert "LaunchTemplateId: lt-0123456789abcdef0" in live(without_b)
    assert "LaunchTemplateId" not in live(without_a)
    assert "golden-image-Arn of another stack is assumed" not in ended.stdout


def test_a_conflict(rehearse: Callable[..., Ended]) -> None:
    """A part in conflict is rolled back with a reason that names the other stack, and the rehearsal ends there."""
    ended = rehearse(OWNER, others=(TEAM_A, TEAM_C, TEAM_B))
    assert ended.status == 1
    (_, conflict), (verdict, _) = steps(ended.stdout)[-2:]
    assert "CREATE_FAILED" in conflict
    assert "SetDefaultVersion conflicts: resource TeamA of stack" in " ".join(conflict.split())
    assert "ROLLBACK_COMPLETE" in conflict
    assert "No configuration changed." in conflict
    assert verdict == (
        "Rehearsal failed: the creation from team-c-in-conflict.yaml ended in ROLLBACK_COMPLETE (TeamC failed)"
    )


def test_an_update_of_the_owner(rehearse: Callable[..., Ended], tmp_path: Path) -> None:
    """The first stack is updated after the other stacks were created, and they keep their parts."""
    changed = tmp_path / "changed.yaml"
    changed.write_text(OWNER.read_text("utf-8").replace("Golden image for all teams", "Changed"), "utf-8")
    ended = rehearse(OWNER, changed, others=(TEAM_A,), options=("-p", "Account=999988887777"))
    assert ended.status == 0, ended.stdout
    headings = [heading for heading, _ in steps(ended.stdout)]
    assert headings[1:3] == ["Create team-a from team-a.yaml", "Update owner from changed.yaml"]
    _, update = steps(ended.stdout)[2]
    assert 'Description: "Changed"' in live(update)
    assert '"999988887777"' in live(update)


def test_an_update_that_would_withdraw_what_others_use(rehearse: Callable[..., Ended], tmp_path: Path) -> None:
    """An owner's update that allows less than a part uses is rolled back, and the configuration is as before."""
    narrower = tmp_path / "narrower.yaml"
    text = OWNER.read_text("utf-8").replace("        - Distributions[].LaunchTemplateConfigurations\n", "")
    narrower.write_text(text, "utf-8")
    ended = rehearse(OWNER, narrower, others=(TEAM_A,))
    assert ended.status == 1
    (_, update), (verdict, _) = steps(ended.stdout)[-2:]
    assert "UPDATE_FAILED" in update
    assert "stack/team-a/" in update
    assert verdict == (
        "Rehearsal failed: the update from narrower.yaml ended in UPDATE_ROLLBACK_COMPLETE (GoldenImage failed)"
    )


def test_the_names_of_the_stacks() -> None:
    """Stacks have the names of their files, which are numbered if they would be the same."""
    files = [Path("a/stack.yaml"), Path("b/stack.yaml"), Path("stack-2.yaml"), Path("other.yaml")]
    assert stack_names("stack", files) == ["stack", "stack-2", "stack-3", "stack-2-2", "other"]


def test_without_the_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the emulator, the command says how to install it."""
    monkeypatch.setattr(ledger_emulator, "ENVIRONMENT", tmp_path / "none")
    with pytest.raises(ModuleNotFoundError) as raised:
        command("rehearse", OWNER, "--with", TEAM_A)
    assert raised.value.name == "ministack"


def test_the_message_without_the_emulator() -> None:
    """In a checkout, the message names the target of the Makefile, and the extra."""
    from provider.extras import explain

    sentence = explain(ModuleNotFoundError(name="ministack"))
    assert (
        "has no package ministack. `make ministack` in the checkout installs it into .venv-ministack, or: " in sentence
    )
    assert sentence.endswith("pip install 'path/to/this/checkout[ledger]'")
    assert "\nministack: .venv-ministack/stamp" in (ROOT / "Makefile").read_text("utf-8")


def test_a_single_stack_needs_no_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without --with, there is no ledger; a contribution fails, and the output says what has one."""
    monkeypatch.setattr(ledger_emulator, "ENVIRONMENT", tmp_path / "none")
    ended = command("rehearse", TEAM_A)
    assert ended.status == 1
    assert "a contribution requires the ledger" in " ".join(ended.stdout.split())
    assert "Only a rehearsal with --with TEMPLATE has a ledger, which contributions require." in ended.stdout
    assert "placeholder content" not in ended.stdout
    assert command("rehearse", EXAMPLES / "golden-image.yaml").status == 0


def test_the_environment_of_the_user_is_not_used() -> None:
    """The user's table and endpoints do not affect a rehearsal, which starts with an empty ledger."""
    require_ledger()
    ended = process(
        "rehearse", OWNER, "--with", TEAM_A, LEDGER_TABLE_NAME="real", AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:9"
    )
    assert ended.status == 0, ended.stdout + ended.stderr


def test_the_emulator_ends_with_its_block() -> None:
    """The emulator listens only inside its block."""
    require_ledger()
    with ledger_emulator.dynamodb(ledger_emulator.python_with_emulator()) as url:
        port = int(url.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), 5).close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 5)


def test_the_emulator_ends_with_a_killed_command() -> None:
    """Even if the command is killed, the emulator ends."""
    require_ledger()
    code = """
from provider.cli import ledger_emulator
with ledger_emulator.dynamodb(ledger_emulator.python_with_emulator()) as url:
    print(url, flush=True)
    input()
"""
    running = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert running.stdin is not None
    assert running.stdout is not None
    port = int(running.stdout.readline().decode().rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        running.kill()
        running.wait()
        connection.settimeout(30)
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""  # the end of the emulator's process closes its connections
    running.stdin.close()
    running.stdout.close()
