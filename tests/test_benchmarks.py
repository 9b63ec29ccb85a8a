"""The benchmarks measure what they claim, and the report shows what was measured."""

import http.client
import shutil
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import cost, guard, scale
from benchmarks.build import bundle
from benchmarks.figures import RESULTS, Ratio, Results
from benchmarks.measure import Runner
from benchmarks.report import markdown, plot
from benchmarks.scene import InvalidRunError
from benchmarks.stubs import Stubs, stubs
from benchmarks.variants import Variant
from provider.template.sections import load

PEERS = Path(__file__).parents[1] / "benchmarks" / "peers"
CORRECT = "floor.handler(event, context)"
INCORRECT = {
    "unexpected Update": f"event['ResourceProperties']['Description'] = 'other'; {CORRECT}",
    "unexpected calls": f"{CORRECT}; event['ResponseURL'] += '2'; {CORRECT}",
    "0 responses": f"event['ResponseURL'] = os.environ['AWS_ENDPOINT_URL_IMAGEBUILDER'] + '/?'; {CORRECT}",
    "Invalid LogicalResourceId": f"{CORRECT.replace('event', '{**event, **dict(LogicalResourceId=str(1))}')}",
    "exited with 1": "raise RuntimeError",
    "unexpected response": f"floor.json = Failing; {CORRECT}",
}
"""The error of a run -> the function that causes it."""
HANDLER = """
import json, os
import floor

class Failing:
    loads = staticmethod(json.loads)
    dumps = staticmethod(lambda value: json.dumps(value).replace("SUCCESS", "FAILED").replace("Data", "Reason"))

def handler(event, context):
    {body}
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[Stubs]:
    """The stub servers, in their own process."""
    with stubs() as running:
        yield running


def function(servers: Stubs, folder: Path, body: str) -> tuple[Runner, Variant]:
    """Return a function with this body, which uses `floor` and needs no packages, and its runner."""
    for module in ("floor", "calls"):
        shutil.copy(PEERS / f"{module}.py", folder)
    (folder / "function.py").write_text(HANDLER.format(body=body), encoding="utf-8")
    variant = Variant("function", "a function", "function.handler")
    return Runner(servers, {variant: folder}, folder), variant


def test_a_cold_run_lasts_from_process_start_to_the_last_byte(servers: Stubs, tmp_path: Path) -> None:
    """The time of a cold run includes the start of the process and the event, and ends with the response."""
    runner, variant = function(servers, tmp_path, f"{CORRECT}; import time; time.sleep(0.5)")
    with (tmp_path / "function.py").open("a", encoding="utf-8") as module:
        module.write("import time; time.sleep(0.3)")
    started = time.monotonic()
    ran = runner.cold(variant)
    whole = time.monotonic() - started
    (event,) = ran.each
    assert 0.3 < ran.seconds < whole - 0.5
    assert event > 0.5
    assert 5_000 < ran.peak_kilobytes < 50_000


@pytest.mark.parametrize(("problem", "body"), INCORRECT.items(), ids=INCORRECT)
def test_an_incorrect_run_is_an_error(problem: str, body: str, servers: Stubs, tmp_path: Path) -> None:
    """A run with unexpected calls, a wrong Update, or a wrong response is an error."""
    runner, variant = function(servers, tmp_path, body)
    with pytest.raises(InvalidRunError, match=problem):
        runner.cold(variant)


def test_a_measured_process_inherits_no_environment(
    servers: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The measured processes inherit no environment variables."""
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    runner, variant = function(servers, tmp_path, f"assert 'AWS_PROFILE' not in os.environ; {CORRECT}")
    runner.cold(variant)


def test_a_warm_run_has_a_time_for_each_event(servers: Stubs, tmp_path: Path) -> None:
    """A warm run has one time for each event after the first, with a pooled or a reopened connection."""
    runner, variant = function(servers, tmp_path, CORRECT)
    for reopened in (False, True):
        assert len(runner.warm(variant, 5, reopened=reopened)) == 5


def test_a_reopened_connection_is_closed_by_the_api(servers: Stubs) -> None:
    """The API closes its connection after as many calls as an event has, and not before."""
    tls = ssl.create_default_context(cafile=str(bundle()))
    servers.begin({}, 2)
    connection = http.client.HTTPSConnection(servers.urls()[0].removeprefix("https://"), context=tls)
    closed = []
    for _ in range(4):
        connection.request("GET", "/GetDistributionConfiguration?distributionConfigurationArn=arn")
        response = connection.getresponse()
        response.read()
        closed.append(response.will_close)
    connection.close()
    assert closed == [False, True, False, True]


def test_the_bundle_has_a_realistic_size() -> None:
    """The bundle contains a real bundle's CAs and the stubs' certificate, and no private key."""
    text = bundle().read_text(encoding="utf-8")
    assert text.count("BEGIN CERTIFICATE") > 118
    assert "PRIVATE KEY" not in text


@given(
    st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=2, max_size=15), st.sampled_from((0.5, 2.0))
)
def test_a_ratio_does_not_depend_on_the_machines_speed(pairs: list[tuple[float, float]], slower: float) -> None:
    """A ratio's quartiles are in order, and the same on a slower machine."""
    ratio = Ratio.of(pairs)
    assert ratio.low <= ratio.median <= ratio.high
    assert ratio == Ratio.of([(plain * slower, other * slower) for plain, other in pairs])


def test_the_report_matches_the_figures() -> None:
    """The Markdown and the plot match the figures next to them."""
    results = Results.read()
    assert (RESULTS / "cold.md").read_text(encoding="utf-8") == markdown(results)
    assert (RESULTS / "cold.svg").read_text(encoding="utf-8") == plot(results)


def test_the_cost_page_matches_the_figures() -> None:
    """docs/cost.md matches the figures; its memory size, schedule, and numbers of alarms are the template's."""
    root = RESULTS.parents[1]
    page = cost.page(Results.read(), scale.Scale.read())
    assert (root / "docs" / "cost.md").read_text(encoding="utf-8") == page
    template = load(root / "template.yaml")
    assert template.parameters["MemorySize"]["Default"] == cost.CHOSEN
    assert template.parameters["SweepMinutes"]["Default"] == cost.SWEEP_MINUTES
    alarms = [one for one in template.resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    with_ledger = [one for one in alarms if one.get("Condition") == "HasLedger"]
    assert (len(alarms) - len(with_ledger), len(with_ledger)) == (cost.ALARMS, cost.LEDGER_ALARMS)


def test_the_page_about_contributions_matches_the_figures() -> None:
    """docs/contributions.md shows the recorded figures, in which no part is lost and ten writes are enough."""
    page = (RESULTS.parents[1] / "docs" / "contributions.md").read_text(encoding="utf-8")
    recorded = scale.Scale.read()
    assert page == scale.inserted(page, scale.table(recorded))
    assert tuple(each.contributors for each in recorded.measured) == scale.COUNTS
    assert {each.recorded.lost for each in recorded.measured} == {0}
    assert recorded.measured[-1].unrecorded.lost > 0
    assert max(each.recorded.api_writes for each in recorded.measured) <= scale.MAX_WRITES


def test_the_readme_matches_the_figures() -> None:
    """The README shows the provider's recorded figures, rounded."""
    figures = Results.read().of("as_deployed")
    assert figures.instructions is not None
    instructions = figures.instructions / (Results.read().of("plain").instructions or 1)
    quoted = f"| **this provider** | **{figures.cold.ratio.median:.2f}** | **{instructions:.2f}** |"
    assert quoted in (RESULTS.parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_figures_with_a_ledger_are_within_the_limit_and_quoted() -> None:
    """A ledger increases no recorded cold start by more than the guard's limit; the README and the page quote both."""
    growth = Results.read().ledger_growth()
    assert 0 < max(growth.values()) <= guard.LEDGER_LIMIT
    owner, part = f"{growth['an owner']:.2f}", f"{growth['a contribution']:.2f}"
    readme, page = (
        " ".join((RESULTS.parents[1] / name).read_text(encoding="utf-8").split())
        for name in ("README.md", "docs/ledger.md")
    )
    assert (
        f"an owner takes {owner} of the plain client's instructions more, and one of a contribution {part};" in readme
    )
    assert f"{owner} of a plain botocore client's instructions for an owner, {part} for a contribution." in page


@pytest.mark.parametrize(("now", "grown", "lines"), [(0.43, 0.11, ["0.430", "0.110"]), (0.5, 0.2, ["0.500", "0.200"])])
def test_the_guard_reports_both_figures(now: float, grown: float, lines: list[str]) -> None:
    """The guard prints the figure without a ledger, and the growth of each request with one."""
    first, _, third = guard.verdict(now, {"an owner": grown})
    assert lines[0] in first
    assert third.split() == [lines[1], "an", "owner"]


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_guard_that_cannot_measure_fails_in_ci(monkeypatch: pytest.MonkeyPatch, ci: str, status: int) -> None:
    """Without valgrind, the guard fails if CI is set; otherwise, it only prints a message."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", ci)
    assert guard.main() == status


def test_the_guard_names_what_grew() -> None:
    """New and slower modules are listed, the largest growth first, on a slower machine as well."""
    before = {"ssl": 3_000, "json": 1_000, "gone": 9_000, **{f"same{number}": 1_000 for number in range(50)}}
    now = {module: own * 2 for module, own in before.items() if module != "gone"} | {"pydantic": 60_000, "json": 6_000}
    first, second, *rest = [line.split() for line in guard.growth(before, now)]
    assert first == ["+60.0", "ms", "pydantic", "(new)"]
    assert second[2:] == ["json"]
    assert rest == []
