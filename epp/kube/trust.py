"""How the API server proves who it is, and the picker to it."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

import msgspec

from epp.kube.credentials import Credential
from epp.kube.errors import AccessError


class Trust(msgspec.Struct, frozen=True):
    """The authorities (PEM; none = the system's) and the name that the server must show.

    `server_name` replaces the URL's host, for servers that are reached by another name.
    """

    ca: bytes = b""
    verify: bool = True
    server_name: str = ""

    def context(self, credential: Credential) -> ssl.SSLContext:
        """Build the context for connections made with `credential`."""
        context = self._context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Certificates of clusters lack what RFC 5280 asks for; Go and curl do not mind, nor did
        # Python before 3.13.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if credential.certificate:
            _load(context, credential)
        return context

    def _context(self) -> ssl.SSLContext:
        try:
            # PEM is ASCII, comments in it need not be
            authorities = self.ca.decode("ascii", errors="backslashreplace")
            return ssl.create_default_context(cadata=authorities or None)
        except (ssl.SSLError, ValueError) as error:
            raise AccessError(f"the server's certificate authority is no PEM: {error}") from error


def check_trust(trust: Trust, credential: Credential, origin: str) -> None:
    """Try what connections will be made with, so that an error comes at once and names a file."""
    try:
        trust.context(credential)
    except AccessError as error:
        raise AccessError(f"{origin}: {error}") from error


def _load(context: ssl.SSLContext, credential: Credential) -> None:
    """Give `context` the client certificate: ssl reads files only, so there is one for a moment."""
    try:
        with tempfile.TemporaryDirectory(prefix="epp-") as folder:  # mode 0700
            pem = Path(folder, "client.pem")
            pem.write_bytes(credential.certificate + b"\n" + credential.key)
            context.load_cert_chain(pem, password=_no_password)
    except (ssl.SSLError, OSError) as error:
        raise AccessError(
            f"the client certificate and its key cannot be used: {error}; both are PEM, "
            "belong together, and the key has no password"
        ) from error


def _no_password() -> str:
    """Answer for the terminal, where ssl would ask for the password of the key."""
    return ""
