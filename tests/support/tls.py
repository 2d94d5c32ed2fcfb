"""A throw-away certificate authority."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import trustme

__all__ = ["Authority"]


class Authority:
    """Issues certificates for servers and clients, and knows who trusts it.

    Attributes:
        file: The CA certificate as PEM.
    """

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def server(
        self, *names: str, expired: bool = False, client_ca: Authority | None = None, alpn: tuple[str, ...] = ()
    ) -> ssl.SSLContext:
        """Make the context of a server; with ``client_ca`` it asks for a certificate of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        not_after = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC) if expired else None
        cert = self._ca.issue_cert(*(names or ("127.0.0.1", "localhost", "::1")), not_after=not_after)
        cert.configure_cert(context)
        if client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            client_ca._ca.configure_trust(context)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context

    def files(self, *names: str) -> tuple[Path, Path]:
        """Issue a certificate as two files: the chain and the key."""
        cert = self._ca.issue_cert(*names)
        chain, key = self._folder / f"{names[0]}.pem", self._folder / f"{names[0]}.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in cert.cert_chain_pems))
        cert.private_key_pem.write_to_path(key)
        return chain, key
