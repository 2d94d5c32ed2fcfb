"""Fixtures for programs that use asyncclient. pytest loads this module in every run, so it imports nothing but pytest.

================================  ====================================================================================
``asyncclient_las``               a running :class:`~asyncclient.testing.Server` for ``las`` with fresh state, for one test
``asyncclient_las_options``       override it to change how that emulator behaves: return a dict of options
``asyncclient_flywheel``          the same for Flywheel
``asyncclient_flywheel_options``  its options
``asyncclient_lfview``            the same for LF View
``asyncclient_lfview_options``    its options
``asyncclient_voxel51``           the same for the Voxel51 Platform
``asyncclient_voxel51_options``   its options
``asyncclient_serve``             ``asyncclient_serve("las", tls=True, short_pages=True)``: as many servers as a test wants,
                                  closed after it
================================  ====================================================================================

All of them work in synchronous and in asynchronous tests.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asyncclient.testing import Server

__all__ = [
    "asyncclient_flywheel",
    "asyncclient_flywheel_options",
    "asyncclient_las",
    "asyncclient_las_options",
    "asyncclient_lfview",
    "asyncclient_lfview_options",
    "asyncclient_serve",
    "asyncclient_voxel51",
    "asyncclient_voxel51_options",
]


@pytest.fixture
def asyncclient_serve() -> Iterator[Callable[..., Server]]:
    """Return a function like :func:`asyncclient.testing.serve` whose servers run at once and end with the test."""
    from asyncclient.testing import serve

    with contextlib.ExitStack() as stack:
        yield lambda name, **options: stack.enter_context(serve(name, **options))


@pytest.fixture
def asyncclient_las_options() -> dict[str, Any]:
    """Return the options for ``asyncclient_las``; override it in a module or a class."""
    return {}


@pytest.fixture
def asyncclient_las(asyncclient_serve: Callable[..., Server], asyncclient_las_options: dict[str, Any]) -> Server:
    """Return a running server for ``las`` with fresh state."""
    return asyncclient_serve("las", **asyncclient_las_options)


@pytest.fixture
def asyncclient_lfview_options() -> dict[str, Any]:
    """Return the options for ``asyncclient_lfview``; override it in a module or a class."""
    return {}


@pytest.fixture
def asyncclient_lfview(asyncclient_serve: Callable[..., Server], asyncclient_lfview_options: dict[str, Any]) -> Server:
    """Return a running server for LF View with fresh state."""
    return asyncclient_serve("lfview", **asyncclient_lfview_options)


@pytest.fixture
def asyncclient_voxel51_options() -> dict[str, Any]:
    """Return the options for ``asyncclient_voxel51``; override it in a module or a class."""
    return {}


@pytest.fixture
def asyncclient_voxel51(
    asyncclient_serve: Callable[..., Server], asyncclient_voxel51_options: dict[str, Any]
) -> Server:
    """Return a running server for the Voxel51 Platform with fresh state."""
    return asyncclient_serve("voxel51", **asyncclient_voxel51_options)


@pytest.fixture
def asyncclient_flywheel_options() -> dict[str, Any]:
    """Return the options for ``asyncclient_flywheel``; override it in a module or a class."""
    return {}


@pytest.fixture
def asyncclient_flywheel(
    asyncclient_serve: Callable[..., Server], asyncclient_flywheel_options: dict[str, Any]
) -> Server:
    """Return a running server for Flywheel with fresh state."""
    return asyncclient_serve("flywheel", **asyncclient_flywheel_options)
