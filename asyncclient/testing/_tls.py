"""A throw-away certificate authority, for official clients that insist on https."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme

__all__ = ["Certificates", "make_certificates"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM form."""

    ca_file: Path
    certificate_file: Path  # the chain
    key_file: Path


def make_certificates(folder: Path, *names: str) -> Certificates:
    """Make an authority and a certificate for these host names and addresses, as files in ``folder``."""
    authority = trustme.CA()
    issued = authority.issue_cert(*dict.fromkeys(names))
    files = Certificates(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(files.ca_file)
    for index, part in enumerate(issued.cert_chain_pems):
        part.write_to_path(files.certificate_file, append=index > 0)
    files.key_file.touch(mode=0o600)
    issued.private_key_pem.write_to_path(files.key_file)
    return files
