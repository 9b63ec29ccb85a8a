"""The build's folder of CAs is the one that OpenSSL creates from the bundle."""

import socket
import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

import botocore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provider.aws.tls import tls_context
from provider.build.certificates import hashed_folder, subject_hash
from provider.emulator.server import LoopbackServer, Reply
from tests.authority import Authority, openssl

BUNDLE = Path(botocore.__file__).with_name("cacert.pem")
END = "-----END CERTIFICATE-----\n"

Subject = tuple[int, list[tuple[str, bool, str]]]
"""The string types that OpenSSL may use, and attributes: name, whether it joins the previous one, and value."""


def subjects(types: int, alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[Subject]:
    attribute = st.tuples(
        st.sampled_from(["O", "OU", "L", "CN"]), st.booleans(), st.text(alphabet, min_size=1, max_size=9)
    )
    return st.tuples(st.just(types), st.lists(attribute, min_size=1, max_size=3))


def characters(most: int) -> st.SearchStrategy[str]:
    return st.sampled_from(" \t\x0bA") | st.characters(min_codepoint=32, max_codepoint=most, exclude_categories=["Cs"])


SUBJECTS = (
    subjects(0x2, st.sampled_from(" abcXYZ019'()+,-./:=?"))  # PrintableString
    | subjects(0x4, characters(0xFF))  # T61String
    | subjects(0x800, characters(0xFFFF))  # BMPString
    | subjects(0x2000, characters(0x10FFFF))  # UTF8String
)


def trusts(context: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    """Return whether a client with this context completes a handshake with a server at 127.0.0.1."""
    listener = LoopbackServer(lambda *_: Reply(200, {}, b""), tls=server)
    try:
        with socket.create_connection(("127.0.0.1", listener.server_address[1]), timeout=10) as connection:
            context.wrap_socket(connection, server_hostname="127.0.0.1").close()
    except ssl.SSLCertVerificationError:
        return False
    finally:
        listener.close()
    return True


def test_the_whole_bundle_is_named_as_openssl_names_it(tmp_path: Path) -> None:
    """For botocore's bundle, the folder has the same names and certificates as `openssl rehash` creates."""
    rehashed = tmp_path / "rehashed"
    rehashed.mkdir()
    for number, certificate in enumerate(BUNDLE.read_text(encoding="utf-8").split(END)[:-1]):
        (rehashed / f"{number}.pem").write_text(certificate + END, encoding="utf-8")
    openssl("rehash", rehashed)
    hashed_folder(BUNDLE, tmp_path / "hashed")
    ours = {path.name: certificate_in(path) for path in (tmp_path / "hashed").iterdir()}
    assert ours == {path.name: certificate_in(path) for path in rehashed.iterdir() if path.is_symlink()}
    assert len(ours) > 100


def certificate_in(path: Path) -> bytes:
    text = path.read_text(encoding="utf-8")
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN") :])


@settings(max_examples=30, deadline=None)
@given(SUBJECTS)
def test_every_subject_has_openssls_hash(subject: Subject) -> None:
    """A subject with any string type, spacing, letter case, and grouping has the hash that OpenSSL looks up."""
    types, attributes = subject
    lines = [
        f'{number}.{"+" if beside and number else ""}{name} = "{quoted(value)}"'
        for number, (name, beside, value) in enumerate(attributes)
    ]
    with TemporaryDirectory() as folder:
        made = Authority(Path(folder) / "ca", "\n".join(lines), more=f"string_mask = MASK:{types}").certificate
        expected = openssl("x509", "-in", made, "-noout", "-subject_hash").strip()
        assert subject_hash(certificate_in(made)) == expected


def quoted(value: str) -> str:
    return "".join(f"\\{letter}" if letter in '\\"$' else letter for letter in value)


def test_openssl_finds_a_ca_in_the_folder(tmp_path: Path) -> None:
    """A client with the folder trusts exactly the CAs in it, even if two of them have the same name."""
    subject = "O = \u00dc\nCN = Images"
    known = [Authority(tmp_path / name, subject) for name in ("first", "second")]
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("A title\n" + "\n".join(each.certificate.read_text() for each in known))
    hashed_folder(bundle, tmp_path / "hashed")
    context = tls_context(str(tmp_path / "hashed"))
    other = Authority(tmp_path / "other", subject)
    assert [trusts(context, each.server_context()) for each in (*known, other)] == [True, True, False]


def test_a_bundle_trusts_exactly_its_own_cas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client with a bundle trusts the CAs in it, shipped or not, and no other CA that is shipped."""
    shipped, unshipped, other = (Authority(tmp_path / name, f"CN = {name}") for name in ("shipped", "own", "other"))
    artifact = tmp_path / "artifact.pem"
    artifact.write_text(shipped.certificate.read_text() + other.certificate.read_text())
    hashed_folder(artifact, tmp_path / "hashed")
    monkeypatch.setattr("provider.aws.tls.SHIPPED", str(tmp_path / "hashed"))
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("A title\n" + shipped.certificate.read_text() + unshipped.certificate.read_text())
    context = tls_context(str(bundle))
    assert [trusts(context, one.server_context()) for one in (shipped, unshipped, other)] == [True, True, False]
