"""What is said of a call that got no answer: whether it may have happened, and what to look at."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provider.aws.client import before_send, call, client
from provider.emulator.emulator import Emulator, Fault
from provider.emulator.server import LoopbackServer, Reply
from provider.errors import Outcome, ProviderError
from tests.authority import Authority
from tests.client.proxy import Proxy
from tests.client.wire import CERTIFICATE, Recorder

LIST = "ListDistributionConfigurations"


def failure() -> ProviderError:
    """The error of a call that has to fail."""
    with pytest.raises(ProviderError) as caught:
        call(client(), LIST, {})
    return caught.value


@pytest.fixture
def no_pauses(settings: pytest.MonkeyPatch) -> None:
    """Pauses before another attempt are of no length."""
    settings.setattr("random.random", lambda: 0.0)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.usefixtures("no_pauses")
def test_what_found_no_way_did_not_happen(settings: pytest.MonkeyPatch, nobody: str, scheme: str) -> None:
    """Where no attempt found a connection, nothing was called, and the cure speaks of the way to the endpoint."""
    settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", f"{scheme}://{nobody}")
    error = failure()
    assert error.outcome is Outcome.UNSENT
    assert nobody in error.problem
    assert "VPC" in error.remediation


@pytest.mark.usefixtures("no_pauses")
def test_a_proxy_out_of_reach_did_not_let_it_happen(
    recorder: Recorder, settings: pytest.MonkeyPatch, nobody: str
) -> None:
    """Where the proxy is not there, nothing was called, and the failure names the proxy."""
    settings.delenv("NO_PROXY")
    settings.setenv("HTTPS_PROXY", f"http://{nobody}")
    error = failure()
    assert (error.outcome, nobody in error.problem) == (Outcome.UNSENT, True)
    assert recorder.connections == 0


@pytest.mark.parametrize("through_proxy", [False, True])
@pytest.mark.usefixtures("no_pauses")
def test_what_was_not_trusted_did_not_happen(
    recorder: Recorder, settings: pytest.MonkeyPatch, tmp_path: Path, through_proxy: bool
) -> None:
    """Where the server's CA is not in the bundle, nothing was called, and the cure names the setting of the bundle."""
    settings.setenv("AWS_CA_BUNDLE", str(Authority(tmp_path / "ca").certificate))
    with Proxy() as proxy:
        if through_proxy:
            settings.delenv("NO_PROXY")
            settings.setenv("HTTPS_PROXY", proxy.url)
        error = failure()
        assert bool(proxy.asked) is through_proxy
    assert error.outcome is Outcome.REFUSED
    assert "CERTIFICATE_VERIFY_FAILED" in error.problem
    assert "AWS_CA_BUNDLE" in error.remediation
    assert recorder.received == []


@pytest.mark.parametrize("tls", [None, CERTIFICATE], ids=["http", "https"])
@pytest.mark.usefixtures("no_pauses")
def test_what_was_sent_once_may_have_happened(settings: pytest.MonkeyPatch, tls: Path | None) -> None:
    """Where an attempt was sent and lost its answer, and later ones found no way, it is not known what happened."""
    with Emulator(certificate=tls) as emulator:
        for name, value in emulator.environment().items():
            settings.setenv(name, value)
        emulator.fail(LIST, Fault.RESET, 1, after=True)
        api = client()
        api.meta.events.register(f"needs-retry.imagebuilder.{LIST}", lambda **_: emulator.stop())
        error = failure()
    assert error.outcome is Outcome.UNKNOWN


@pytest.mark.usefixtures("no_pauses")
def test_what_a_proxy_passed_on_may_have_happened(settings: pytest.MonkeyPatch) -> None:
    """Where a proxy passed requests on whose answers were lost, it is not known what happened."""
    with Emulator(certificate=CERTIFICATE) as emulator, Proxy() as proxy:
        for name, value in emulator.environment().items():
            settings.setenv(name, value)
        for name in ("NO_PROXY", "no_proxy"):
            settings.delenv(name, raising=False)
        settings.setenv("HTTPS_PROXY", proxy.url)
        emulator.fail(LIST, Fault.RESET, 9, after=True)
        assert failure().outcome is Outcome.UNKNOWN
        assert proxy.asked
        assert emulator.requests


@pytest.mark.usefixtures("no_pauses")
def test_a_proxy_that_refuses_let_nothing_happen(recorder: Recorder, settings: pytest.MonkeyPatch) -> None:
    """Where the proxy opens no tunnel, nothing was called."""
    with LoopbackServer(lambda *_: Reply(403, {}, b"")) as refusing:
        settings.delenv("NO_PROXY")
        settings.setenv("HTTPS_PROXY", refusing.url)
        assert failure().outcome is Outcome.UNSENT
    assert recorder.received == []


def no_credentials(emulator: Emulator, settings: pytest.MonkeyPatch) -> None:
    """The credentials are gone."""
    client()._request_signer._credentials = None


def no_time(emulator: Emulator, settings: pytest.MonkeyPatch) -> None:
    """The request's time is up."""

    def stop() -> None:
        raise ProviderError("time ran out")

    before_send.set(stop)


@pytest.mark.parametrize("trouble", [no_credentials, no_time])
@pytest.mark.usefixtures("no_pauses")
def test_a_retry_that_is_not_sent_leaves_open_what_the_first_attempt_did(
    settings: pytest.MonkeyPatch, trouble: Callable[[Emulator, pytest.MonkeyPatch], None]
) -> None:
    """Where an attempt lost its answer and the next has no credentials or no time, it is not known what happened."""
    with Emulator() as emulator:
        for name, value in emulator.environment().items():
            settings.setenv(name, value)
        emulator.fail(LIST, Fault.UNAVAILABLE, 9, after=True)
        client().meta.events.register(f"needs-retry.imagebuilder.{LIST}", lambda **_: trouble(emulator, settings))
        error = failure()
        assert len(emulator.requests) == 1
    assert error.outcome is Outcome.UNKNOWN


@pytest.mark.usefixtures("no_pauses")
def test_no_memory_of_another_call(settings: pytest.MonkeyPatch, nobody: str) -> None:
    """What an earlier call of the same thread came to is nothing to go by."""
    with Recorder() as recorder:
        settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", recorder.url)
        settings.setenv("AWS_CA_BUNDLE", str(CERTIFICATE))
        call(client(), LIST, {})
    settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", f"https://{nobody}")
    assert failure().outcome is Outcome.UNSENT
