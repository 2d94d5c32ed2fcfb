"""Fixtures for all tests."""

from __future__ import annotations

import signal

import pytest

# Shells start what runs in the background with SIGINT ignored, and children of the tests would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
