"""TLS contexts: whom to trust, and who we are."""

from __future__ import annotations

import os
import ssl

from asyncclient.errors import ConfigurationError

__all__ = ["Cert", "Verify", "make_context"]

Verify = bool | str | os.PathLike[str] | ssl.SSLContext
Cert = str | os.PathLike[str] | tuple[str, str] | tuple[str, str, str]


def make_context(verify: Verify = True, cert: Cert | None = None) -> ssl.SSLContext:
    """Make a client context; blocks for tens of milliseconds while the trust store is read.

    Args:
        verify: True trusts what the system trusts, with ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` in place of its file and
            directory; a file or directory of CA certificates trusts only these; False trusts everybody; an
            ``SSLContext`` is used as it is.
        cert: Client certificate: a PEM file that also holds the key, ``(cert, key)`` or ``(cert, key, password)``.

    Raises:
        ConfigurationError: A file is missing or is not what it should be.
    """
    if isinstance(verify, ssl.SSLContext):
        context = verify
    else:
        context = _trusting(verify)
        context.set_alpn_protocols(["http/1.1"])
    if cert is not None:
        parts = [os.fspath(part) for part in cert] if isinstance(cert, tuple) else [os.fspath(cert)]
        chain, key = parts[0], parts[1] if len(parts) > 1 else None
        try:
            # Without a password OpenSSL would ask for one, on a terminal that nobody watches.
            context.load_cert_chain(chain, key, parts[2] if len(parts) > 2 else "")
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"the client certificate {chain} cannot be used: {error}") from error
    return context


def _trusting(verify: bool | str | os.PathLike[str]) -> ssl.SSLContext:
    if verify is True:
        return _system_trust()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    from pathlib import Path

    path = Path(verify)
    try:
        if path.is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"the CA certificates in {path} cannot be used: {error}") from error
    return context


def _system_trust() -> ssl.SSLContext:
    from pathlib import Path  # with urllib: not for those who speak http, or bring a context

    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        # OpenSSL says nothing if it is wrong, and then no certificate verifies.
        if not any(Path(path).exists() for path in os.environ.get(variable, os.curdir).split(os.pathsep)):
            raise ConfigurationError(f"{variable} names what does not exist")
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not ssl.get_default_verify_paths().capath:
        # Minimal containers and some builds of Python have no trust store; without this, nothing would verify.
        import certifi

        context.load_verify_locations(cafile=certifi.where())
    return context
