"""Logging, under its official name. Importing it configures nothing."""

from __future__ import annotations

import logging

__all__ = ["setup_logging"]


def setup_logging(level: int = logging.INFO, format: str = "%(message)s") -> None:  # noqa: A002  # the official name
    """Write messages to standard error, unless the program has set up logging already."""
    logging.basicConfig(level=level, format=format)
