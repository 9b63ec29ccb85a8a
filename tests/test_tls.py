"""TLS: the servers to which a response is sent, and how often the CAs are read."""

import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import provider.aws.tls
from provider.aws.tls import delivery_context, system_context, tls_context
from provider.aws.transport import Transport
from provider.build.certificates import hashed_folder
from provider.cloudformation.delivery import Undelivered, deliver
from provider.emulator.server import LoopbackServer, Reply
from tests.authority import Authority
from tests.cloudformation.test_delivery import seconds


class Bucket(LoopbackServer):
    """Receives responses over TLS with a certificate of `authority`."""

    def __init__(self, authority: Authority, server: Path | None = None) -> None:
        self.authority = authority
        self.bodies: list[bytes] = []
        super().__init__(self._take, tls=authority.server_context(server))

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, _method: str, _target: str, body: bytes, _headers: object) -> Reply:
        self.bodies.append(body)
        return Reply(200, {}, b"")


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Removes the settings for CAs and the pauses between attempts."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)
    return monkeypatch


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that the system does not know."""
    return Authority(tmp_path_factory.mktemp("authority") / "known")


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another CA, which signed no server's certificate."""
    return Authority(tmp_path_factory.mktemp("authority") / "other", "CN = Other authority")


@pytest.fixture(scope="module")
def folder(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first CA in a folder of hashed names."""
    made = tmp_path_factory.mktemp("hashed") / "certificates"
    hashed_folder(authority.certificate, made)
    return made


@pytest.fixture
def bucket(authority: Authority) -> Iterator[Bucket]:
    """A bucket with a certificate of the first CA."""
    with Bucket(authority) as running:
        yield running


def arrives(bucket: Bucket, host: str = "127.0.0.1") -> bool:
    """Return whether a body is delivered, and check that it is delivered once."""
    with suppress(Undelivered):
        deliver(f"https://{host}:{bucket.server_address[1]}/key", b"body", seconds(20))
        assert bucket.bodies == [b"body"]
    return bool(bucket.bodies)


def test_a_server_that_the_system_does_not_trust_gets_nothing(bucket: Bucket) -> None:
    """Without settings, a server whose CA the system does not know never receives the body."""
    assert not arrives(bucket)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "AWS_CA_BUNDLE"])
def test_a_bundle_that_is_set_is_trusted(bucket: Bucket, settings: pytest.MonkeyPatch, name: str) -> None:
    """A server is trusted if its CA is in SSL_CERT_FILE, or in AWS_CA_BUNDLE if only that is set."""
    settings.setenv(name, str(bucket.authority.certificate))
    assert arrives(bucket)


@pytest.mark.parametrize("name", ["SSL_CERT_DIR", "AWS_CA_BUNDLE"])
def test_a_folder_that_is_set_is_trusted(bucket: Bucket, settings: pytest.MonkeyPatch, folder: Path, name: str) -> None:
    """A server is trusted if its CA is in a folder of hashed names, SSL_CERT_DIR or AWS_CA_BUNDLE."""
    settings.setenv(name, str(folder))
    assert arrives(bucket)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "AWS_CA_BUNDLE"])
def test_a_server_that_is_not_in_the_bundle_gets_nothing(
    bucket: Bucket, settings: pytest.MonkeyPatch, other_authority: Authority, name: str
) -> None:
    """A server whose CA is neither in the bundle nor known to the system never receives the body."""
    settings.setenv(name, str(other_authority.certificate))
    assert not arrives(bucket)


def test_another_hosts_certificate_is_not_enough(bucket: Bucket, settings: pytest.MonkeyPatch) -> None:
    """A server with a trusted certificate of another host never receives the body."""
    settings.setenv("SSL_CERT_FILE", str(bucket.authority.certificate))
    assert not arrives(bucket, "localhost")


def test_a_common_name_is_not_enough(authority: Authority, settings: pytest.MonkeyPatch) -> None:
    """A server whose certificate has its host only as the common name receives neither a response nor an API call."""
    settings.setenv("SSL_CERT_FILE", str(authority.certificate))
    with Bucket(authority, authority.server_by_common_name()) as bucket:
        assert not arrives(bucket, "localhost")
        transport = Transport(lambda: tls_context(str(authority.certificate)))
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            transport.connect(f"https://localhost:{bucket.server_address[1]}/", 10)


@pytest.mark.parametrize("context", [tls_context, delivery_context, system_context])
def test_every_context_verifies(context: Callable[[], ssl.SSLContext]) -> None:
    """Each context requires a certificate whose subject alternative names contain the host."""
    made = context()
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not made.hostname_checks_common_name


def test_ssl_cert_file_comes_first(bucket: Bucket, settings: pytest.MonkeyPatch, other_authority: Authority) -> None:
    """SSL_CERT_FILE overrides AWS_CA_BUNDLE for responses."""
    settings.setenv("SSL_CERT_FILE", str(bucket.authority.certificate))
    settings.setenv("AWS_CA_BUNDLE", str(other_authority.certificate))
    assert arrives(bucket)


def test_the_systems_cas_are_trusted_beside_the_bundle(
    bucket: Bucket, settings: pytest.MonkeyPatch, other_authority: Authority, folder: Path
) -> None:
    """A server whose CA is not in the bundle receives the body if the system's CAs (SSL_CERT_DIR) include it."""
    settings.setenv("SSL_CERT_FILE", str(other_authority.certificate))
    settings.setenv("SSL_CERT_DIR", str(folder))
    assert arrives(bucket)


@pytest.mark.parametrize("bundle", ["missing.pem", "garbage.pem", "garbage.pem/below"])
def test_the_systems_cas_replace_an_unreadable_bundle(
    bucket: Bucket, settings: pytest.MonkeyPatch, folder: Path, tmp_path: Path, bundle: str
) -> None:
    """If a bundle is missing, unreadable, or invalid, the system's CAs decide."""
    (tmp_path / "garbage.pem").write_text("no certificate")
    settings.setenv("SSL_CERT_FILE", str(tmp_path / bundle))
    settings.setenv("SSL_CERT_DIR", str(folder))
    assert arrives(bucket)


def unreadable(kind: str, folder: Path) -> str:
    """Return a path from which no CAs can be read."""
    path = folder / kind
    if kind == "garbage":
        path.write_bytes(b"\x00\xff no certificate")
    elif kind == "folder":
        path.mkdir()
    elif kind == "forbidden":
        path.mkdir()
        path.chmod(0)
        path /= "inside"
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "too long":
        path = folder / ("x" * 300)
    return str(path)


UNREADABLE = ["missing", "garbage", "folder", "forbidden", "loop", "too long", "\udcff"]


def system_trusts(certificate: Path, settings: pytest.MonkeyPatch) -> None:
    """Add a CA to the system's own, which OpenSSL knows without any setting."""
    own = ssl.get_default_verify_paths()._replace(openssl_cafile=str(certificate))
    settings.setattr("ssl.get_default_verify_paths", lambda: own)


def artifact_ships(folder: Path, settings: pytest.MonkeyPatch) -> None:
    """Use the CAs in a folder as those that the artifact ships."""
    settings.setattr("provider.aws.tls.SHIPPED", str(folder))


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("source", ["system", "artifact"])
def test_an_unreadable_setting_does_not_prevent_a_response(
    bucket: Bucket, settings: pytest.MonkeyPatch, folder: Path, tmp_path: Path, name: str, kind: str, source: str
) -> None:
    """If SSL_CERT_FILE or SSL_CERT_DIR cannot be read, the system's CAs and the shipped ones replace it."""
    settings.setenv(name, unreadable(kind, tmp_path))
    if source == "system":
        system_trusts(bucket.authority.certificate, settings)
    else:
        artifact_ships(folder, settings)
    _forget_contexts()
    try:
        assert arrives(bucket)
    finally:
        _forget_contexts()


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("kind", UNREADABLE)
def test_an_unreadable_setting_adds_no_trust(
    bucket: Bucket, settings: pytest.MonkeyPatch, other_authority: Authority, tmp_path: Path, name: str, kind: str
) -> None:
    """If a setting cannot be read, a server whose CA is in no other source still receives nothing."""
    settings.setenv(name, unreadable(kind, tmp_path))
    system_trusts(other_authority.certificate, settings)
    _forget_contexts()
    try:
        assert not arrives(bucket)
    finally:
        _forget_contexts()


def test_a_readable_setting_is_not_extended(
    bucket: Bucket, settings: pytest.MonkeyPatch, other_authority: Authority, folder: Path, tmp_path: Path
) -> None:
    """If SSL_CERT_FILE and SSL_CERT_DIR can be read, only their CAs are trusted."""
    settings.setenv("SSL_CERT_FILE", str(other_authority.certificate))
    hashed_folder(other_authority.certificate, tmp_path / "hashed")
    settings.setenv("SSL_CERT_DIR", str(tmp_path / "hashed"))
    system_trusts(bucket.authority.certificate, settings)
    artifact_ships(folder, settings)
    _forget_contexts()
    try:
        assert not arrives(bucket)
    finally:
        _forget_contexts()


def _forget_contexts() -> None:
    """Create contexts again: the CAs of the machine and the artifact do not change otherwise."""
    provider.aws.tls._context.cache_clear()
    provider.aws.tls._system_context.cache_clear()


def test_a_ca_without_key_usage_is_trusted(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A company's CA without the key usage that newer Pythons require is accepted."""
    create = ssl.create_default_context

    def strictly(**trust: Any) -> ssl.SSLContext:
        context = create(**trust)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    settings.setattr("ssl.create_default_context", strictly)
    with Bucket(Authority(tmp_path / "plain", key_usage=False)) as bucket:
        settings.setenv("SSL_CERT_FILE", str(bucket.authority.certificate))
        assert arrives(bucket)


def test_threads_share_a_context(authority: Authority, settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Threads that need a context at the same time share one."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(authority.certificate.read_text() * 50)
    settings.setenv("SSL_CERT_FILE", str(bundle))
    start = threading.Barrier(8)

    def made(_: int) -> int:
        start.wait(10)
        return id(tls_context())

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(made, range(8)))) == 1


def test_changed_settings_create_another_context(
    authority: Authority, settings: pytest.MonkeyPatch, folder: Path
) -> None:
    """A context is created again if, and only if, the settings name other CAs."""
    settings.setenv("SSL_CERT_FILE", str(authority.certificate))
    first = tls_context()
    assert tls_context() is first
    settings.setenv("SSL_CERT_DIR", str(folder))
    assert tls_context() is not first


def test_the_systems_trust_is_read_once(settings: pytest.MonkeyPatch, other_authority: Authority) -> None:
    """The system's CAs are read once, and again if the settings name other CAs."""
    systems = system_context()
    assert system_context() is systems
    settings.setenv("SSL_CERT_FILE", str(other_authority.certificate))
    assert system_context() is not systems
