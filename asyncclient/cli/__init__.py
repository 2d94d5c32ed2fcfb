"""The command line. Needs the extra ``cli``.

Exit codes are in :data:`asyncclient.cli._errors.EXIT_CODES`. Results go to standard output; progress and errors to
standard error. An error is one line, unless ``--debug`` asks for the traceback.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from typing import Final

from asyncclient._version import __version__

__all__ = ["main"]

_EXTRA: Final = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: What follows the name of the program. Default: those of the process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--version"]:  # asked for by scripts, so without loading anything
        print(f"asyncclient {__version__}")
        return 0
    if any(importlib.util.find_spec(name) is None for name in _EXTRA):
        print("asyncclient: the command line needs the extra 'cli': pip install 'asyncclient[cli]'", file=sys.stderr)
        return 2
    from asyncclient.cli._app import run

    return run(given)
