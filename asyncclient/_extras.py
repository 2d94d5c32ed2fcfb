"""What needs an optional dependency: loaded when it is used, and named with the extra that brings it."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["load", "without"]


def without(error: ImportError, what: str, extra: str) -> ImportError:
    """Return the error that says how to install what is missing.

    Args:
        error: What the import failed with.
        what: What cannot be used.
        extra: The extra that brings it.
    """
    return ImportError(
        f"{what} needs {error.name}, which comes with the extra {extra!r}: pip install 'asyncclient[{extra}]'",
        name=error.name,
    )


def load(module: str, what: str, extra: str) -> ModuleType:
    """Import a module of this package that needs an extra.

    Args:
        module: The module.
        what: What it is a part of, for the error.
        extra: The extra.

    Raises:
        ImportError: The extra is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "asyncclient").partition(".")[0] == "asyncclient":
            raise  # a part of this package is missing, which no extra brings
        raise without(error, what, extra) from error
