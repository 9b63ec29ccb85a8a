"""One connection and one reading of the CAs an environment, through proxies too, and nothing to who is not trusted."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider.aws.client import call, client
from provider.aws.tls import tls_context
from provider.build.certificates import hashed_folder
from provider.emulator.server import Reply
from provider.errors import Outcome, ProviderError
from tests.authority import Authority
from tests.client.proxy import Proxy
from tests.client.wire import CERTIFICATE, Recorder

LIST = "ListDistributionConfigurations"


@pytest.fixture
def bundle(recorder: Recorder, settings: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The recorder's CA in a file that a test may change; AWS_CA_BUNDLE names it."""
    copied = Path(shutil.copy(CERTIFICATE, tmp_path / "bundle.pem"))
    settings.setenv("AWS_CA_BUNDLE", str(copied))
    return copied


@pytest.fixture
def proxy(recorder: Recorder, settings: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that HTTPS_PROXY names; nothing is excepted."""
    settings.delenv("NO_PROXY")
    with Proxy() as running:
        settings.setenv("HTTPS_PROXY", running.url)
        yield running


def refused() -> ProviderError:
    """The error of a call that has to fail."""
    with pytest.raises(ProviderError) as caught:
        call(client(), LIST, {})
    return caught.value


def test_calls_share_a_connection(recorder: Recorder) -> None:
    """All calls of an environment go over one connection."""
    for _ in range(5):
        call(client(), LIST, {})
    assert (len(recorder.received), recorder.connections) == (5, 1)


def test_a_connection_that_is_closed_is_made_again_without_reading_the_bundle(recorder: Recorder, bundle: Path) -> None:
    """Where the service closes the connection after a call, the next call makes one and needs the CAs' file no more."""
    recorder.reply = Reply(200, {**recorder.reply.headers, "Connection": "close"}, b"{}")
    call(client(), LIST, {})
    bundle.unlink()
    call(client(), LIST, {})
    assert (len(recorder.received), recorder.connections) == (2, 2)


def test_a_connection_that_was_cut_costs_no_attempt(recorder: Recorder, settings: pytest.MonkeyPatch) -> None:
    """Where the service has cut the idle connection, the next call goes over a new one at once."""
    settings.setenv("AWS_MAX_ATTEMPTS", "1")
    call(client(), LIST, {})
    recorder.close()
    with Recorder(port=recorder.port) as back_again:
        call(client(), LIST, {})
        assert (len(back_again.received), back_again.connections) == (1, 1)


def test_the_api_and_the_answers_share_a_context(recorder: Recorder, bundle: Path) -> None:
    """The context that a client read its CAs into is the one that answers are delivered with."""
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


def test_a_bundle_that_lacks_its_ca_refuses_a_server(
    recorder: Recorder, settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A server whose CA is not in AWS_CA_BUNDLE is told nothing, and the failure says that it is about certificates."""
    settings.setenv("AWS_CA_BUNDLE", str(Authority(tmp_path / "ca").certificate))
    settings.setenv("AWS_MAX_ATTEMPTS", "1")
    assert "SSL" in refused().problem
    assert recorder.received == []


@pytest.mark.parametrize("content", [None, "no certificates"])
def test_a_bundle_that_cannot_be_read_is_said(recorder: Recorder, bundle: Path, content: str | None) -> None:
    """Without a bundle that can be read nothing is called; the failure names it and says to look at the settings."""
    bundle.unlink()
    if content is not None:
        bundle.write_text(content)
    error = refused()
    assert (error.outcome, str(bundle) in error.problem) == (Outcome.REFUSED, True)
    assert "AWS_ settings" in error.remediation
    assert recorder.connections == 0


def test_a_proxy_is_used(recorder: Recorder, proxy: Proxy) -> None:
    """HTTPS_PROXY is asked to connect to the endpoint, whose certificate is still verified."""
    call(client(), LIST, {})
    assert proxy.asked == [f"127.0.0.1:{recorder.port}"]
    assert len(recorder.received) == 1


def test_a_server_behind_a_proxy_is_not_trusted_more(
    recorder: Recorder, proxy: Proxy, settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Through a proxy, too, a server whose CA is not in the bundle is told nothing."""
    settings.setenv("AWS_CA_BUNDLE", str(Authority(tmp_path / "ca").certificate))
    settings.setenv("AWS_MAX_ATTEMPTS", "1")
    refused()
    assert proxy.asked
    assert recorder.received == []


def test_no_proxy_excepts_a_host(recorder: Recorder, proxy: Proxy, settings: pytest.MonkeyPatch) -> None:
    """A host that NO_PROXY names is called without the proxy."""
    settings.setenv("NO_PROXY", "127.0.0.1")
    call(client(), LIST, {})
    assert proxy.asked == []
    assert len(recorder.received) == 1


def test_a_proxy_that_is_gone_is_said(recorder: Recorder, settings: pytest.MonkeyPatch) -> None:
    """Where the proxy does not answer, the failure names it, and the endpoint is not called past it."""
    settings.delenv("NO_PROXY")
    settings.setenv("AWS_MAX_ATTEMPTS", "1")
    with Proxy() as proxy:
        settings.setenv("HTTPS_PROXY", proxy.url)
    assert proxy.url in refused().problem
    assert recorder.connections == 0
