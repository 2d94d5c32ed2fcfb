"""Whom clients without a hub of their own trust."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["certificates"]

_VARIABLES: Final = ("FW_SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The first that is set counts; with the official client the first is the last, by an accident of its transport."""


def certificates() -> str | None:
    """Return the file or folder of certificates that the environment names; None for what the system trusts."""
    return next((found for name in _VARIABLES if (found := os.environ.get(name))), None)
