"""The command line. Needs the extra ``cli``.

Exit codes:
    0: Everything is as it should be.
    1: Something differs, or the service or the network failed.
    2: The command cannot start: wrong arguments, an unusable folder, a missing extra.
    130: Interrupted by Ctrl-C or SIGTERM.

Results go to standard output; progress and errors to standard error. An error is one line, unless ``--debug`` asks for
the traceback.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["main"]

_EXTRA: Final = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: What follows the name of the program. Default: those of the process.
    """
    if any(importlib.util.find_spec(name) is None for name in _EXTRA):
        print("asyncclient: the command line needs the extra 'cli': pip install 'asyncclient[cli]'", file=sys.stderr)
        return 2
    from asyncclient.cli._app import run

    return run(sys.argv[1:] if arguments is None else arguments)
