"""`owners` with the records of real requests."""

import json
import time
from typing import Any

import pytest

from provider.aws.client import client as api_client
from provider.handler import LEDGER_TABLE
from provider.ledger.parts import Body, Event, Revision, propose, source_id
from provider.ledger.removals import resolve_anew
from provider.ledger.store import Lease, Store
from provider.resources.ownership import STACK_TAG, Owner
from tests.cli.commands import command, process
from tests.ledger import bodies
from tests.ledger.bodies import TEMPLATES, USER_IDS
from tests.ledger.dynamodb import Proxy, create_table
from tests.ledger.test_ledger_requests import GOLDEN, live_users, overwrite, owned, part, swept, users
from tests.stack import STACK_ID, Resource, ami

PERMISSION = 'Distributions["us-east-1"].AmiDistributionConfiguration.LaunchPermission.UserIds'
SOURCE = {"organizationalUnit": "ou-ab12-11111111"}


@pytest.fixture
def resource(recorded_resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Resource:
    """A configuration resource of a provider with a ledger, which cannot reach Organizations."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_ORGANIZATIONS", "http://127.0.0.1:1")
    return recorded_resource


def shown(*options: str) -> dict[str, Any]:
    """Return what `owners` prints for programs."""
    ended = command("owners", GOLDEN, *options, "--format", "json")
    assert ended.status == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def part_of(name: str, *options: str) -> dict[str, Any]:
    """Return what `owners` shows of the part of a stack."""
    (found,) = (one for one in shown(*options)["parts"] if f"/{name}/" in one["stackId"])
    assert isinstance(found, dict)
    return found


def refused(*options: str, status: int = 1, stdin: str = "") -> str:
    """Return the error of `owners`."""
    ended = command("owners", GOLDEN, *options, stdin=stdin)
    assert (ended.status, ended.stdout) == (status, "")
    return ended.stderr


def later(resource: Resource) -> None:
    """Let a second pass: the dates of requests have whole seconds."""
    resource.clock.sleep(1)


# what it shows


def test_it_shows_who_owns_which_path(resource: Resource) -> None:
    """Each value is shown with all resources that have it, without keys and defaults."""
    owned(resource)
    one, two = part(resource, "a"), part(resource, "b")
    one.create(**users("111111111111", "222222222222"))
    two.create(**users("222222222222"))
    a, b = ({"stackId": each.stack_id, "logicalId": "Part"} for each in (one, two))
    assert [(each["path"], each["value"], each["owners"]) for each in shown()["paths"]] == [
        (f'{PERMISSION}["111111111111"]', "111111111111", [a]),
        (f'{PERMISSION}["222222222222"]', "222222222222", [a, b]),
        (
            'Distributions["us-east-1"].AmiDistributionConfiguration.Name',
            "x {{ imagebuilder:buildDate }}",
            [{"stackId": STACK_ID, "logicalId": "Golden"}],
        ),
    ]
    lines = command("owners", GOLDEN).stdout.splitlines()
    assert any(line.split() == [PERMISSION, "Part", "(a),", "Part", "(b):", '"222222222222"'] for line in lines)


def test_it_shows_each_part(resource: Resource) -> None:
    """A part has its stack, its IDs, its state, its last request, and what an owner allows."""
    owned(resource)
    team = part(resource, "a")
    response = team.create(**users("111111111111"))
    first, second = shown()["parts"]
    assert (first["kind"], first["status"], first["logicalId"]) == ("owner", "accepted", "Golden")
    assert first["contributions"] == [USER_IDS, TEMPLATES]
    assert (second["kind"], second["status"], second["stackId"]) == ("contribution", "accepted", team.stack_id)
    assert second["physicalId"] == response.physical_id
    assert second["requestId"] == team.sent["RequestId"]
    printed = command("owners", GOLDEN).stdout
    for text in ("Part: contribution, accepted", team.stack_id, response.physical_id, f"allows: {USER_IDS}"):
        assert text in printed


def test_it_shows_what_is_rejected(resource: Resource) -> None:
    """A rejected proposal is shown with its reason; what was accepted before still counts."""
    owned(resource)
    team, late = part(resource, "a"), part(resource, "b")
    team.create(**users("111111111111"))
    team.update(**users("111111111111", region="eu-west-1"))
    late.create(**users("111111111111", region="eu-west-1"))
    found = part_of("a")
    assert (found["status"], found["proposal"]) == ("accepted", None)
    assert "does not exist in the owner" in found["rejection"]
    assert part_of("b")["status"] == "rejected"
    assert "rejected: " in command("owners", GOLDEN).stdout


def test_it_shows_what_is_proposed_and_who_combines(resource: Resource, store: Store) -> None:
    """A proposal is shown with what it would change, and a held lease with its holder; drift is not compared then."""
    owned(resource)
    part(resource, "a").create(**users("111111111111"))
    held = hold(store, seconds=600)
    record_proposal(store, resource.clock.time() + 1)
    whole = shown()
    assert (whole["lease"]["state"], whole["lease"]["holder"]) == ("held", "another")
    assert (whole["drift"], whole["problem"]) == (None, "a request or a sweep is combining the parts")
    found = part_of("a")
    assert (found["status"], found["proposal"]) == ("accepted", "update")
    assert [(one["path"], one["old"], one["new"]) for one in found["changes"]] == [
        (f'{PERMISSION}["111111111111"]', "111111111111", None),
        (f'{PERMISSION}["222222222222"]', None, "222222222222"),
    ]
    printed = command("owners", GOLDEN).stdout
    for text in ("held by another", "accepted, update proposed", f'+ {PERMISSION}["222222222222"]', "not compared"):
        assert text in printed
    store.release(held, is_clean=True)


def hold(store: Store, seconds: float) -> Lease:
    """Take the lease as another request would."""
    lease = store.take(store.lease(GOLDEN), "another", time.time() + seconds)
    assert lease is not None
    return lease


def record_proposal(store: Store, date: float) -> None:
    """Record a proposal of stack a, as a request would before it waits."""
    owner = Owner("arn:aws:cloudformation:us-east-1:123456789012:stack/a/1", "Part")
    old = store.part(GOLDEN, owner)
    event = Event(owner, Revision(date, "request"), "Update", date + 3600)
    assert store.put(old, propose(old, GOLDEN, event, Body(bodies.users("222222222222"))))


def test_it_shows_the_last_sweep_and_drift(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """The last sweep and what differs from the records are shown."""
    owned(resource)
    assert (shown()["lastSweep"], shown()["drift"]) == (None, [])
    overwrite(distributions=resource.live["distributions"], description="by hand")
    swept(resource, capsys)
    whole = shown()
    assert whole["lastSweep"] is not None
    assert whole["drift"] == [{"path": "Description", "recorded": None, "live": "by hand"}]
    assert '+ Description: "by hand"' in command("owners", GOLDEN).stdout


def test_it_shows_previous_and_gone_owners(resource: Resource) -> None:
    """An adopter supersedes the owner; an owner that is gone is retained while others have parts."""
    properties = owned(resource)
    part(resource, "a").create(**users("111111111111"))
    adopter = resource.sibling("Adopter")
    adopted = {k: v for k, v in properties.items() if k != "Name"} | {"DistributionConfigurationArn": GOLDEN}
    adopter.create(**adopted)
    statuses = {one["logicalId"]: one["status"] for one in shown()["parts"]}
    assert statuses == {"Adopter": "accepted", "Golden": "superseded", "Part": "accepted"}
    adopter.delete()
    resource.update(**properties, OnDelete="Retain")
    resource.delete()
    statuses = {one["logicalId"]: one["status"] for one in shown()["parts"]}
    assert statuses == {"Adopter": "withdrawn", "Golden": "retained", "Part": "accepted"}


def test_a_configuration_that_does_not_exist(resource: Resource) -> None:
    """If a recorded configuration does not exist, its records are shown all the same."""
    owned(resource)
    api_client("imagebuilder", "us-east-1").delete_distribution_configuration(distributionConfigurationArn=GOLDEN)
    whole = shown()
    assert (whole["exists"], whole["drift"], whole["problem"]) == (False, None, "the configuration does not exist")
    assert whole["parts"][0]["status"] == "accepted"


def test_a_configuration_that_cannot_be_read(resource: Resource) -> None:
    """If the configuration cannot be read, its records are shown with the reason; nothing can be changed."""
    owned(resource)
    resource.emulator.fail_with("GetDistributionConfiguration", "AccessDeniedException", 403, "denied", times=2)
    whole = shown()
    assert (whole["exists"], whole["drift"]) == (None, None)
    assert "denied" in whole["problem"]
    assert "the configuration cannot be read" in refused("--release", "--yes", status=2)
    assert part_of("images")["status"] == "accepted"


# withdraw


@pytest.mark.parametrize("by", ["name", "stack ID", "physical ID"])
def test_a_part_is_withdrawn(resource: Resource, by: str) -> None:
    """A part is withdrawn by its stack's name or ID and its logical ID, or by its physical ID; the others stay."""
    owned(resource)
    one, two = part(resource, "a"), part(resource, "b")
    response = one.create(**users("111111111111", "222222222222"))
    two.create(**users("222222222222"))
    text = {"name": "a/Part", "stack ID": f"{one.stack_id}/Part", "physical ID": response.physical_id}[by]
    ended = command("owners", GOLDEN, "--withdraw", text, "--yes")
    assert ended.status == 0, ended.stderr
    assert f'- {PERMISSION}["111111111111"]: "111111111111"' in ended.stderr
    assert live_users(resource) == ["222222222222"]
    assert part_of("a")["status"] == "withdrawn"
    assert one.delete().status == "SUCCESS"
    assert live_users(resource) == ["222222222222"]
    later(resource)
    assert one.create(**users("333333333333")).status == "SUCCESS"


def test_a_part_that_does_not_exist(resource: Resource) -> None:
    """If no part, or several, are meant, nothing is withdrawn, and the parts are listed."""
    owned(resource)
    one = part(resource, "a")
    one.create(**users("111111111111"))
    assert "no part is 'b/Part'. Choose one as STACK_ID/LOGICAL_ID, or by its physical ID: " in refused(
        "--withdraw", "b/Part", "--yes"
    )
    twin = one.sibling("Part", one.stack_id.replace("/a/1", "/a/2"))
    twin.resource_type = one.resource_type
    twin.create(**users("222222222222"))
    assert "could be several parts" in refused("--withdraw", "a/Part", "--yes")
    assert live_users(resource) == ["111111111111", "222222222222"]


def test_an_owner_with_parts_is_not_withdrawn(resource: Resource) -> None:
    """An owner is withdrawn only without the parts of others; its content stays."""
    owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    assert "other resources have parts" in refused("--withdraw", "images/Golden", "--yes")
    team.delete()
    before = resource.live
    command("owners", GOLDEN, "--withdraw", "images/Golden", "--yes")
    assert {**resource.live, "tags": {}} == {**before, "tags": {}}
    assert resource.live["tags"][STACK_TAG] == resource.stack_id
    assert shown()["parts"][0]["status"] == "withdrawn"


def test_a_part_of_a_configuration_that_does_not_exist_is_withdrawn(resource: Resource) -> None:
    """A part can be withdrawn if the configuration does not exist anymore."""
    owned(resource)
    part(resource, "a").create(**users("111111111111"))
    api_client("imagebuilder", "us-east-1").delete_distribution_configuration(distributionConfigurationArn=GOLDEN)
    assert part_of("a", "--withdraw", "a/Part", "--yes")["status"] == "withdrawn"


def test_nothing_happens_without_confirmation(resource: Resource) -> None:
    """Without --yes, the change is shown and a question is asked; any answer but yes changes nothing."""
    owned(resource)
    part(resource, "a").create(**users("111111111111"))
    for stdin in ("", "n\n"):
        ended = command("owners", GOLDEN, "--withdraw", "a/Part", stdin=stdin)
        assert ended.status == 1
        assert "Continue?" in ended.stderr
        assert "nothing was changed" in ended.stderr
    assert live_users(resource) == ["111111111111"]
    assert command("owners", GOLDEN, "--withdraw", "a/Part", stdin="y\n").status == 0
    assert live_users(resource) == []


def test_it_waits_for_the_lease(resource: Resource, store: Store, proxy: Proxy) -> None:
    """While another holder combines, the command waits; then it takes the lease."""
    owned(resource)
    part(resource, "a").create(**users("111111111111"))
    held = hold(store, seconds=600)
    reads = 0

    def release(operation: str, _parameters: dict[str, Any]) -> None:
        nonlocal reads
        reads += operation == "GetItem"
        if operation == "GetItem" and reads == 8:
            store.release(held, is_clean=True)

    proxy.fail = release
    assert command("owners", GOLDEN, "--withdraw", "a/Part", "--yes").status == 0
    assert reads > 8
    assert live_users(resource) == []


# held removals


def with_held(resource: Resource, store: Store, *held: str) -> None:
    """Record that a sweep has held removals of a source's accounts in stack a."""
    part(resource, "a").create(**users("111111111111", *held))
    (old,) = (one for one in store.parts(GOLDEN) if not one.is_owner)
    wanted = bodies.users("111111111111")
    wanted["distributions"][0]["amiDistributionConfiguration"]["launchPermission"]["userIds"].append(SOURCE)
    body = Body(wanted, resolved={source_id(SOURCE): [*held]})
    assert store.put(old, resolve_anew(old._replace(accepted=body.pack()), {source_id(SOURCE): []}, 20))


HELD = [f"{number:012}" for number in range(6)]


def test_held_removals_are_confirmed(resource: Resource, store: Store) -> None:
    """Held removals are shown; --confirm-removals removes the accounts from the configuration."""
    owned(resource)
    with_held(resource, store, *HELD)
    (source,) = part_of("a")["sources"]
    assert source == {"source": "OrganizationalUnit ou-ab12-11111111", "accounts": 6, "heldRemovals": HELD}
    assert "6 removals are held" in command("owners", GOLDEN).stdout
    assert live_users(resource) == [*HELD, "111111111111"]
    assert shown()["drift"] == []
    ended = command("owners", GOLDEN, "--confirm-removals", "--yes")
    assert ended.status == 0, ended.stderr
    assert ended.stderr.count(f"- {PERMISSION}") == 6
    assert live_users(resource) == ["111111111111"]
    assert part_of("a")["sources"][0]["heldRemovals"] == []
    assert shown()["drift"] == []


def test_nothing_is_held(resource: Resource) -> None:
    """If nothing is held, --confirm-removals says so."""
    owned(resource)
    assert f"no removals of {GOLDEN} are held" in refused("--confirm-removals", "--yes")


def test_the_sweep_finishes_what_failed(resource: Resource, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """If the write of confirmed removals fails, the next sweep repeats it, although it only reports drift."""
    owned(resource)
    with_held(resource, store, *HELD)
    resource.emulator.fail_with("UpdateDistributionConfiguration", "AccessDeniedException", 403, "denied")
    assert "denied" in refused("--confirm-removals", "--yes", status=2)
    assert live_users(resource) == [*HELD, "111111111111"]
    swept(resource, capsys)
    assert live_users(resource) == ["111111111111"]


# release


def test_released_parts_are_gone(resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    """--release removes the parts of others and all records; then a provider without the ledger may write."""
    owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    plain: dict[str, Any] = {"Name": "golden", "Distributions": [ami(Description="new")]}
    with monkeypatch.context() as without:
        without.delenv(LEDGER_TABLE)
        assert "--release" in resource.update(**plain).reason
    ended = command("owners", GOLDEN, "--release", "--yes")
    assert ended.status == 0, ended.stderr
    assert f'- {PERMISSION}["111111111111"]' in ended.stderr
    assert live_users(resource) == []
    assert {one["status"] for one in shown()["parts"]} == {"withdrawn"}
    assert team.delete().status == "SUCCESS"
    monkeypatch.delenv(LEDGER_TABLE)
    assert resource.update(**plain).status == "SUCCESS"


@pytest.mark.parametrize("table", ["", "empty"])
def test_release_without_records(
    resource: Resource, monkeypatch: pytest.MonkeyPatch, proxy: Proxy, table: str, table_name: str
) -> None:
    """Without a table, or with an empty one, --release removes the mark; then the owner may write again."""
    owned(resource)
    if table:
        create_table(proxy.url, f"{table_name}-{table}")
    monkeypatch.setenv(LEDGER_TABLE, f"{table_name}-{table}" if table else "")
    plain: dict[str, Any] = {"Name": "golden", "Distributions": [ami(Description="new")]}
    assert "--release" in resource.update(**plain).reason
    ended = command("owners", GOLDEN, "--release", stdin="y\n")
    assert ended.status == 0, ended.stderr
    assert "There are no records of" in ended.stderr
    assert resource.update(**plain).status == "SUCCESS"
    if not table:
        assert "is not shared, and there are no records" in refused("--release", "--yes")


def test_a_released_owner_is_recorded_again(resource: Resource) -> None:
    """With the ledger, the owner's next update records it again."""
    properties = owned(resource)
    command("owners", GOLDEN, "--release", "--yes")
    assert "no resource with Contributions owns" in part(resource, "a").create(**users("111111111111")).reason
    later(resource)
    assert resource.update(**properties, Description="new").status == "SUCCESS"
    assert part(resource, "a").create(**users("111111111111")).status == "SUCCESS"


def test_a_release_that_fails_can_be_repeated(resource: Resource) -> None:
    """If the tags cannot be changed, the records stay; the command can be repeated."""
    owned(resource)
    part(resource, "a").create(**users("111111111111"))
    resource.emulator.fail_with("TagResource", "AccessDeniedException", 403, "denied")
    assert "denied" in refused("--release", "--yes", status=2)
    assert {one["status"] for one in shown()["parts"]} == {"accepted", "withdrawn"}
    assert {one["status"] for one in shown("--release", "--yes")["parts"]} == {"withdrawn"}
    assert resource.live["tags"][STACK_TAG] == resource.stack_id


# errors


def test_no_table(resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a table, the message says how to name it."""
    monkeypatch.delenv(LEDGER_TABLE)
    assert "use --table NAME, or set LEDGER_TABLE_NAME" in refused(status=2)


def test_the_table_is_an_option(resource: Resource, table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """--table names the table, with or without the environment variable."""
    owned(resource)
    monkeypatch.setenv(LEDGER_TABLE, "other")
    assert "cannot be reached" in refused(status=2)
    assert shown("--table", table_name)["table"] == table_name


def test_an_unknown_configuration(resource: Resource) -> None:
    """A configuration that is not recorded is an error, and so is anything but an ARN."""
    assert "is not recorded in table" in refused()
    assert "and it does not exist" in refused()
    resource.emulator.seed(name="golden", distributions=[])
    assert "and it does not exist" not in refused()
    ended = command("owners", "golden")
    assert ended.status == 2
    assert "is not the ARN of a distribution configuration" in ended.stderr


def test_access_denied(resource: Resource, proxy: Proxy) -> None:
    """If access to the table is denied, the message says so."""
    owned(resource)
    proxy.fail = lambda _operation, _parameters: "AccessDeniedException"
    text = refused("--release", "--yes", status=2)
    assert "the ledger (DynamoDB table" in text
    assert "AccessDeniedException" in text


def test_one_action_at_a_time(resource: Resource) -> None:
    """Two actions at once are an error."""
    assert "cannot be used together" in refused("--release", "--confirm-removals", status=2)


def test_it_runs_in_a_process_of_its_own(resource: Resource, proxy: Proxy, table_name: str) -> None:
    """As a user runs it, the command prints one object, and nothing that the function would log."""
    owned(resource)
    part(resource, "a").create(**users("111111111111"))
    variables = {**resource.emulator.environment(), "AWS_ENDPOINT_URL_DYNAMODB": proxy.url}
    ended = process(
        "owners", GOLDEN, "--table", table_name, "--withdraw", "a/Part", "--yes", "--format", "json", **variables
    )
    assert ended.status == 0, ended.stderr
    assert json.loads(ended.stdout)["arn"] == GOLDEN
