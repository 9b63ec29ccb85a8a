"""Certificate authorities for tests, made with the openssl command."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

_CONFIGURATION = """
[req]
distinguished_name = subject
prompt = no
utf8 = yes
{more}
[subject]
{subject}
[ca]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
[ca_with_key_usage]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
keyUsage = critical, keyCertSign
[server]
subjectAltName = IP:127.0.0.1
authorityKeyIdentifier = keyid
[server_by_common_name]
authorityKeyIdentifier = keyid
"""


def openssl(*arguments: str | Path) -> str:
    """Run the openssl command and return its output. Skips the test if no suitable version is installed."""
    command = shutil.which("openssl")
    if not command or not _output(command, "version").startswith(("OpenSSL 3", "OpenSSL 4")):
        pytest.skip("certificates are made with the openssl command, version 3 or newer, which is not here")
    return _output(command, *map(str, arguments))


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Authority:
    """A CA with its own folder. `certificate` is the PEM file to trust."""

    def __init__(self, folder: Path, subject: str = "CN = A CA", *, key_usage: bool = True, more: str = "") -> None:
        folder.mkdir(parents=True)
        self.certificate = folder / "ca.pem"
        self._folder = folder
        self._sign("ca", subject, "ca_with_key_usage" if key_usage else "ca", "-x509", more=more)

    def server(self) -> Path:
        """Create the certificate and the key of a server at 127.0.0.1 in one PEM file."""
        return self._server("server", "CN = 127.0.0.1", "server")

    def server_by_common_name(self) -> Path:
        """The same for a server that has its host only as the common name."""
        return self._server("by-common-name", "CN = localhost", "server_by_common_name")

    def server_context(self, server: Path | None = None) -> ssl.SSLContext:
        """Return the TLS context of that server, or of one with another certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server or self.server())
        return context

    def _server(self, name: str, subject: str, extensions: str) -> Path:
        made = self._folder / f"{name}.pem"
        if not made.exists():
            signer = ("-CA", self.certificate, "-CAkey", self._folder / "ca.key")
            self._sign(name, subject, extensions, "-x509", *signer)
            made.write_text(made.read_text() + (self._folder / f"{name}.key").read_text())
        return made

    def _sign(self, name: str, subject: str, extensions: str, *options: str | Path, more: str = "") -> None:
        configuration = self._folder / f"{name}.cnf"
        configuration.write_text(_CONFIGURATION.format(subject=subject, more=more), encoding="utf-8")
        files = ("-keyout", self._folder / f"{name}.key", "-out", self._folder / f"{name}.pem")
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-config", configuration, "-extensions", extensions, "-days", "2", *options, *key, *files)
