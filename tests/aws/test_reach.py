"""The error of a call without a response says whether it may have taken effect, and what to check."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provider.aws.client import before_send, call
from provider.emulator.emulator import Emulator, Fault
from provider.emulator.server import LoopbackServer, Reply
from provider.errors import Outcome, ProviderError
from tests.authority import Authority
from tests.aws.proxy import Proxy
from tests.aws.wire import CERTIFICATE, Recorder, client

LIST = "ListDistributionConfigurations"


def failure() -> ProviderError:
    """Return the error of a call that must fail."""
    with pytest.raises(ProviderError) as caught:
        call(client(), LIST, {})
    return caught.value


@pytest.fixture
def no_pauses(settings: pytest.MonkeyPatch) -> None:
    """Removes the pauses between attempts."""
    settings.setattr("random.random", lambda: 0.0)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address without a server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.usefixtures("no_pauses")
def test_a_call_without_a_connection_has_no_effect(settings: pytest.MonkeyPatch, nobody: str, scheme: str) -> None:
    """If no attempt could connect, the call had no effect, and the remediation is about the network path."""
    settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", f"{scheme}://{nobody}")
    error = failure()
    assert error.outcome is Outcome.UNSENT
    assert nobody in error.problem
    assert "VPC" in error.remediation


@pytest.mark.usefixtures("no_pauses")
def test_a_call_through_an_unreachable_proxy_has_no_effect(
    recorder: Recorder, settings: pytest.MonkeyPatch, nobody: str
) -> None:
    """If the proxy is unreachable, the call had no effect, and the error names the proxy."""
    settings.delenv("NO_PROXY")
    settings.setenv("HTTPS_PROXY", f"http://{nobody}")
    error = failure()
    assert (error.outcome, nobody in error.problem) == (Outcome.UNSENT, True)
    assert recorder.connections == 0


@pytest.mark.parametrize("through_proxy", [False, True])
@pytest.mark.usefixtures("no_pauses")
def test_a_call_to_an_untrusted_server_has_no_effect(
    recorder: Recorder, settings: pytest.MonkeyPatch, tmp_path: Path, through_proxy: bool
) -> None:
    """If the server's CA is not in the bundle, the call had no effect, and the remediation names the setting."""
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
def test_a_call_that_was_sent_once_may_have_had_an_effect(settings: pytest.MonkeyPatch, tls: Path | None) -> None:
    """If an attempt was sent without a response, and later ones could not connect, the outcome is unknown."""
    with Emulator(certificate=tls) as emulator:
        for name, value in emulator.environment().items():
            settings.setenv(name, value)
        emulator.fail(LIST, Fault.RESET, 1, after=True)
        api = client()
        api.meta.events.register(f"needs-retry.imagebuilder.{LIST}", lambda **_: emulator.stop())
        error = failure()
    assert error.outcome is Outcome.UNKNOWN


@pytest.mark.usefixtures("no_pauses")
def test_a_call_that_a_proxy_forwarded_may_have_had_an_effect(settings: pytest.MonkeyPatch) -> None:
    """If a proxy forwarded requests whose responses were lost, the outcome is unknown."""
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
def test_a_call_that_a_proxy_rejected_has_no_effect(recorder: Recorder, settings: pytest.MonkeyPatch) -> None:
    """If the proxy opens no tunnel, the call had no effect."""
    with LoopbackServer(lambda *_: Reply(403, {}, b"")) as refusing:
        settings.delenv("NO_PROXY")
        settings.setenv("HTTPS_PROXY", refusing.url)
        assert failure().outcome is Outcome.UNSENT
    assert recorder.received == []


def no_credentials(emulator: Emulator, settings: pytest.MonkeyPatch) -> None:
    """Removes the credentials."""
    client()._request_signer._credentials = None


def no_time(emulator: Emulator, settings: pytest.MonkeyPatch) -> None:
    """Ends the request's time."""

    def stop() -> None:
        raise ProviderError("time ran out")

    before_send.set(stop)


@pytest.mark.parametrize("trouble", [no_credentials, no_time])
@pytest.mark.usefixtures("no_pauses")
def test_a_retry_that_is_not_sent_keeps_the_outcome_unknown(
    settings: pytest.MonkeyPatch, trouble: Callable[[Emulator, pytest.MonkeyPatch], None]
) -> None:
    """If an attempt lost its response and the next has no credentials or no time, the outcome is unknown."""
    with Emulator() as emulator:
        for name, value in emulator.environment().items():
            settings.setenv(name, value)
        emulator.fail(LIST, Fault.UNAVAILABLE, 9, after=True)
        client().meta.events.register(f"needs-retry.imagebuilder.{LIST}", lambda **_: trouble(emulator, settings))
        error = failure()
        assert len(emulator.requests) == 1
    assert error.outcome is Outcome.UNKNOWN


@pytest.mark.usefixtures("no_pauses")
def test_calls_are_independent(settings: pytest.MonkeyPatch, nobody: str) -> None:
    """The outcome of an earlier call in the same thread does not matter."""
    with Recorder() as recorder:
        settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", recorder.url)
        settings.setenv("AWS_CA_BUNDLE", str(CERTIFICATE))
        call(client(), LIST, {})
    settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", f"https://{nobody}")
    assert failure().outcome is Outcome.UNSENT
