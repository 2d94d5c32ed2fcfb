"""Which emulators there are, and how one is made without importing the others or what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncclient import _extras

if TYPE_CHECKING:
    from types import ModuleType

    from asyncclient.testing._emulator import Emulator

__all__ = ["SERVICES", "check_name", "load", "make"]

# Each package has ``create(**options) -> Emulator``.
SERVICES = {
    "flywheel": "asyncclient.testing.flywheel",
    "las": "asyncclient.testing.las",
    "lfview": "asyncclient.testing.lfview",
    "voxel51": "asyncclient.testing.voxel51",
}


def load(module: str) -> ModuleType:
    """Import a module of this package that needs the extra ``testing``.

    Raises:
        ImportError: The extra is not installed; the message says how to install it.
    """
    return _extras.load(module, "asyncclient.testing", "testing")


def check_name(name: str) -> None:
    """Raise ``ValueError`` if there is no such emulator."""
    if name not in SERVICES:
        raise ValueError(f"there is no emulator for {name!r}; there are: {', '.join(sorted(SERVICES))}")


def make(name: str, options: dict[str, Any]) -> Emulator:
    """Make an emulator with fresh state."""
    check_name(name)
    emulator: Emulator = load(SERVICES[name]).create(**options)
    return emulator
