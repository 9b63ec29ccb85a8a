"""The client reads its CAs once, reuses one connection (also through proxies), and verifies every server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider.aws.client import call
from provider.aws.tls import tls_context
from provider.build.certificates import hashed_folder
from provider.emulator.server import Reply
from provider.errors import Outcome, ProviderError
from tests.authority import Authority
from tests.aws.proxy import Proxy
from tests.aws.wire import CERTIFICATE, Recorder, client

LIST = "ListDistributionConfigurations"


@pytest.fixture
def bundle(recorder: Recorder, settings: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The recorder's CA in a file that a test may change; AWS_CA_BUNDLE points to it."""
    copied = Path(shutil.copy(CERTIFICATE, tmp_path / "bundle.pem"))
    settings.setenv("AWS_CA_BUNDLE", str(copied))
    return copied


@pytest.fixture
def proxy(recorder: Recorder, settings: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that HTTPS_PROXY points to, for all hosts."""
    settings.delenv("NO_PROXY")
    with Proxy() as running:
        settings.setenv("HTTPS_PROXY", running.url)
        yield running


def refused() -> ProviderError:
    """Return the error of a call that must fail."""
    with pytest.raises(ProviderError) as caught:
        call(client(), LIST, {})
    return caught.value


def test_calls_share_a_connection(recorder: Recorder) -> None:
    """All calls use one connection."""
    for _ in range(5):
        call(client(), LIST, {})
    assert (len(recorder.received), recorder.connections) == (5, 1)


def test_a_closed_connection_is_reopened_without_reading_the_bundle(recorder: Recorder, bundle: Path) -> None:
    """If the service closes the connection after a call, the next call opens a new one without reading the CA file."""
    recorder.reply = Reply(200, {**recorder.reply.headers, "Connection": "close"}, b"{}")
    call(client(), LIST, {})
    bundle.unlink()
    call(client(), LIST, {})
    assert (len(recorder.received), recorder.connections) == (2, 2)


def test_a_lost_idle_connection_needs_no_retry(recorder: Recorder, settings: pytest.MonkeyPatch) -> None:
    """If the service has closed the idle connection, the next call uses a new one at once."""
    settings.setenv("AWS_MAX_ATTEMPTS", "1")
    call(client(), LIST, {})
    recorder.close()
    with Recorder(port=recorder.port) as back_again:
        call(client(), LIST, {})
        assert (len(back_again.received), back_again.connections) == (1, 1)


def test_the_api_and_the_responses_share_a_context(recorder: Recorder, bundle: Path) -> None:
    """The API client and the delivery of responses share one SSL context."""
    call(client(), LIST, {})
    bundle.unlink()
    assert tls_context() is tls_context(str(bundle))


def test_a_folder_of_cas_is_trusted(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AWS_CA_BUNDLE may name a folder in which OpenSSL finds CAs by their hashed names."""
    authority = Authority(tmp_path / "ca")
    hashed_folder(authority.certificate, tmp_path / "hashed")
    with Recorder(certificate=authority.server()) as recorder:
        settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", recorder.url)
        settings.setenv("AWS_CA_BUNDLE", str(tmp_path / "hashed"))
        call(client(), LIST, {})
        assert len(recorder.received) == 1


def test_a_server_whose_ca_is_not_in_the_bundle_is_rejected(
    recorder: Recorder, settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A server whose CA is not in AWS_CA_BUNDLE receives nothing, and the error names certificates."""
    settings.setenv("AWS_CA_BUNDLE", str(Authority(tmp_path / "ca").certificate))
    settings.setenv("AWS_MAX_ATTEMPTS", "1")
    assert "SSL" in refused().problem
    assert recorder.received == []


@pytest.mark.parametrize("content", [None, "no certificates"])
def test_an_unreadable_bundle_is_reported(recorder: Recorder, bundle: Path, content: str | None) -> None:
    """If the bundle cannot be read, no call is sent, and the error names the bundle and the settings."""
    bundle.unlink()
    if content is not None:
        bundle.write_text(content)
    error = refused()
    assert (error.outcome, str(bundle) in error.problem) == (Outcome.REFUSED, True)
    assert "AWS_ settings" in error.remediation
    assert recorder.connections == 0


def test_a_proxy_is_used(recorder: Recorder, proxy: Proxy) -> None:
    """A proxy connects to the endpoint, whose certificate is still verified."""
    call(client(), LIST, {})
    assert proxy.asked == [f"127.0.0.1:{recorder.port}"]
    assert len(recorder.received) == 1


def test_a_server_behind_a_proxy_is_verified(
    recorder: Recorder, proxy: Proxy, settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Through a proxy, too, a server whose CA is not in the bundle receives nothing."""
    settings.setenv("AWS_CA_BUNDLE", str(Authority(tmp_path / "ca").certificate))
    settings.setenv("AWS_MAX_ATTEMPTS", "1")
    refused()
    assert proxy.asked
    assert recorder.received == []


def test_no_proxy_is_honored(recorder: Recorder, proxy: Proxy, settings: pytest.MonkeyPatch) -> None:
    """A host in NO_PROXY is called without the proxy."""
    settings.setenv("NO_PROXY", "127.0.0.1")
    call(client(), LIST, {})
    assert proxy.asked == []
    assert len(recorder.received) == 1


def test_an_unreachable_proxy_is_reported(recorder: Recorder, settings: pytest.MonkeyPatch) -> None:
    """If the proxy does not respond, the error names it, and the endpoint is not called directly."""
    settings.delenv("NO_PROXY")
    settings.setenv("AWS_MAX_ATTEMPTS", "1")
    with Proxy() as proxy:
        settings.setenv("HTTPS_PROXY", proxy.url)
    assert proxy.url in refused().problem
    assert recorder.connections == 0
