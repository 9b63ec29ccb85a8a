"""Whom the answers are trusted to, and what that costs."""

import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import provider.tls
from provider.artifact.certificates import hashed_folder
from provider.local.server import LoopbackServer, Reply
from provider.protocol.delivery import Undelivered, deliver
from provider.tls import delivery_context, system_context, tls_context
from provider.transport import Transport
from tests.authority import Authority
from tests.protocol.test_delivery import seconds


class Bucket(LoopbackServer):
    """Takes answers over TLS; `authority` is who vouches for it."""

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
    """Has the system alone say whom to trust, and no pause between two attempts."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)
    return monkeypatch


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that the system does not know."""
    return Authority(tmp_path_factory.mktemp("authority") / "known")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another CA, which vouches for nobody here."""
    return Authority(tmp_path_factory.mktemp("authority") / "stranger", "CN = A stranger")


@pytest.fixture(scope="module")
def folder(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first one in a folder of hashed names."""
    made = tmp_path_factory.mktemp("hashed") / "certificates"
    hashed_folder(authority.certificate, made)
    return made


@pytest.fixture
def bucket(authority: Authority) -> Iterator[Bucket]:
    """A bucket that the first one vouches for."""
    with Bucket(authority) as running:
        yield running


def arrives(bucket: Bucket, host: str = "127.0.0.1") -> bool:
    """Whether a body gets to the bucket, once; where it does not, that is told."""
    with suppress(Undelivered):
        deliver(f"https://{host}:{bucket.server_address[1]}/key", b"body", seconds(20))
        assert bucket.bodies == [b"body"]
    return bool(bucket.bodies)


def test_who_is_unknown_to_the_system_gets_nothing(bucket: Bucket) -> None:
    """Where nothing is set and the system does not know a server's CA, the server never gets the body."""
    assert not arrives(bucket)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "AWS_CA_BUNDLE"])
def test_a_bundle_that_is_set_is_trusted(bucket: Bucket, settings: pytest.MonkeyPatch, name: str) -> None:
    """A server is trusted whose CA is in SSL_CERT_FILE, or in AWS_CA_BUNDLE where that alone is set."""
    settings.setenv(name, str(bucket.authority.certificate))
    assert arrives(bucket)


@pytest.mark.parametrize("name", ["SSL_CERT_DIR", "AWS_CA_BUNDLE"])
def test_a_folder_that_is_set_is_trusted(bucket: Bucket, settings: pytest.MonkeyPatch, folder: Path, name: str) -> None:
    """A server is trusted whose CA is in a folder of hashed names, SSL_CERT_DIR or AWS_CA_BUNDLE."""
    settings.setenv(name, str(folder))
    assert arrives(bucket)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "AWS_CA_BUNDLE"])
def test_who_is_not_in_the_bundle_gets_nothing(
    bucket: Bucket, settings: pytest.MonkeyPatch, stranger: Authority, name: str
) -> None:
    """A server whose CA is neither in the bundle nor known to the system never gets the body."""
    settings.setenv(name, str(stranger.certificate))
    assert not arrives(bucket)


def test_another_hosts_certificate_is_not_enough(bucket: Bucket, settings: pytest.MonkeyPatch) -> None:
    """A server with a trusted certificate of another host never gets the body."""
    settings.setenv("SSL_CERT_FILE", str(bucket.authority.certificate))
    assert not arrives(bucket, "localhost")


def test_a_common_name_is_not_enough(authority: Authority, settings: pytest.MonkeyPatch) -> None:
    """A server whose certificate has its host as the common name alone gets neither a response nor an API call."""
    settings.setenv("SSL_CERT_FILE", str(authority.certificate))
    with Bucket(authority, authority.server_by_common_name()) as bucket:
        assert not arrives(bucket, "localhost")
        transport = Transport(lambda: tls_context(str(authority.certificate)))
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            transport.connect(f"https://localhost:{bucket.server_address[1]}/", 10)


@pytest.mark.parametrize("context", [tls_context, delivery_context, system_context])
def test_every_context_verifies(context: Callable[[], ssl.SSLContext]) -> None:
    """Each context asks for a certificate that is valid for the host by its subject alternative names."""
    made = context()
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not made.hostname_checks_common_name


def test_ssl_cert_file_comes_first(bucket: Bucket, settings: pytest.MonkeyPatch, stranger: Authority) -> None:
    """SSL_CERT_FILE is what counts for answers, whatever AWS_CA_BUNDLE says for the API."""
    settings.setenv("SSL_CERT_FILE", str(bucket.authority.certificate))
    settings.setenv("AWS_CA_BUNDLE", str(stranger.certificate))
    assert arrives(bucket)


def test_the_system_vouches_for_who_is_not_in_the_bundle(
    bucket: Bucket, settings: pytest.MonkeyPatch, stranger: Authority, folder: Path
) -> None:
    """A server that the bundle does not know gets the body where the system's trust, SSL_CERT_DIR say, has its CA."""
    settings.setenv("SSL_CERT_FILE", str(stranger.certificate))
    settings.setenv("SSL_CERT_DIR", str(folder))
    assert arrives(bucket)


@pytest.mark.parametrize("bundle", ["missing.pem", "garbage.pem", "garbage.pem/below"])
def test_the_system_vouches_where_the_bundle_cannot_be_read(
    bucket: Bucket, settings: pytest.MonkeyPatch, folder: Path, tmp_path: Path, bundle: str
) -> None:
    """A bundle that is missing, out of reach or no bundle leaves the answer to the system's trust."""
    (tmp_path / "garbage.pem").write_text("no certificate")
    settings.setenv("SSL_CERT_FILE", str(tmp_path / bundle))
    settings.setenv("SSL_CERT_DIR", str(folder))
    assert arrives(bucket)


def unreadable(kind: str, folder: Path) -> str:
    """A path that no CAs can be read from."""
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
    """Makes a CA one of the system's own, which OpenSSL knows without any setting."""
    own = ssl.get_default_verify_paths()._replace(openssl_cafile=str(certificate))
    settings.setattr("ssl.get_default_verify_paths", lambda: own)


def artifact_ships(folder: Path, settings: pytest.MonkeyPatch) -> None:
    """Makes the CAs of a folder the ones that the artifact has."""
    settings.setattr("provider.tls.SHIPPED", str(folder))


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("source", ["system", "artifact"])
def test_an_unreadable_setting_does_not_prevent_a_response(
    bucket: Bucket, settings: pytest.MonkeyPatch, folder: Path, tmp_path: Path, name: str, kind: str, source: str
) -> None:
    """Where SSL_CERT_FILE or SSL_CERT_DIR cannot be read, the system's own CAs and the shipped ones take its place."""
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
def test_an_unreadable_setting_does_not_make_anybody_trusted(
    bucket: Bucket, settings: pytest.MonkeyPatch, stranger: Authority, tmp_path: Path, name: str, kind: str
) -> None:
    """Where a setting cannot be read, a server whose CA is in no other source still gets nothing."""
    settings.setenv(name, unreadable(kind, tmp_path))
    system_trusts(stranger.certificate, settings)
    _forget_contexts()
    try:
        assert not arrives(bucket)
    finally:
        _forget_contexts()


def test_a_readable_setting_is_not_extended(
    bucket: Bucket, settings: pytest.MonkeyPatch, stranger: Authority, folder: Path, tmp_path: Path
) -> None:
    """Where SSL_CERT_FILE and SSL_CERT_DIR can be read, their CAs alone count, not the system's own or shipped ones."""
    settings.setenv("SSL_CERT_FILE", str(stranger.certificate))
    hashed_folder(stranger.certificate, tmp_path / "hashed")
    settings.setenv("SSL_CERT_DIR", str(tmp_path / "hashed"))
    system_trusts(bucket.authority.certificate, settings)
    artifact_ships(folder, settings)
    _forget_contexts()
    try:
        assert not arrives(bucket)
    finally:
        _forget_contexts()


def _forget_contexts() -> None:
    """Have contexts made anew: what the machine and the artifact have does not change otherwise."""
    provider.tls._context.cache_clear()
    provider.tls._system_context.cache_clear()


def test_a_ca_without_key_usage_is_trusted(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A company's CA without the key usage that the strict checks of newer Pythons ask for vouches for a server."""
    create = ssl.create_default_context

    def strictly(**trust: Any) -> ssl.SSLContext:
        context = create(**trust)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    settings.setattr("ssl.create_default_context", strictly)
    with Bucket(Authority(tmp_path / "plain", key_usage=False)) as bucket:
        settings.setenv("SSL_CERT_FILE", str(bucket.authority.certificate))
        assert arrives(bucket)


def test_who_comes_while_a_context_is_made_gets_the_same(
    authority: Authority, settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Threads that ask for the context at once share the one that is made."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(authority.certificate.read_text() * 50)
    settings.setenv("SSL_CERT_FILE", str(bundle))
    start = threading.Barrier(8)

    def made(_: int) -> int:
        start.wait(10)
        return id(tls_context())

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(made, range(8)))) == 1


def test_other_settings_lead_to_another_context(
    authority: Authority, settings: pytest.MonkeyPatch, folder: Path
) -> None:
    """The context is made anew where the environment names other CAs, and not before."""
    settings.setenv("SSL_CERT_FILE", str(authority.certificate))
    first = tls_context()
    assert tls_context() is first
    settings.setenv("SSL_CERT_DIR", str(folder))
    assert tls_context() is not first


def test_the_systems_trust_is_read_once(settings: pytest.MonkeyPatch, stranger: Authority) -> None:
    """The system's CAs, too, are read once, and anew where the environment says that they are other ones."""
    systems = system_context()
    assert system_context() is systems
    settings.setenv("SSL_CERT_FILE", str(stranger.certificate))
    assert system_context() is not systems
