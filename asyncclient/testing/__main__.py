"""``python -m asyncclient.testing las --port 8000``: serve an emulator in the foreground.

One JSON line on standard output says when it is ready, where it is, and with which credentials it can be used.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asyncclient.testing._registry import SERVICES, make
from asyncclient.testing._runners import Address, Ready, serving

if TYPE_CHECKING:
    from asyncclient.testing._uvicorn import HttpServer

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m asyncclient.testing", description="Serve an emulator.")
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--tls", action="store_true", help="https, with a throw-away authority")
    parser.add_argument("--options", type=json.loads, default={}, help="options of the emulator as a JSON object")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal, or until the end of standard input, comes.

    Returns:
        Status for the shell: 0, 128 plus the number of the signal, or 2 if the extra is not installed.
    """
    given = _parser().parse_args(arguments)
    try:
        emulator = make(given.service, given.options)
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with serving(emulator, Address(given.host, given.port, given.tls), _announce) as server:
        if given.until_eof:
            threading.Thread(target=_stop_at_eof, args=(server,), daemon=True).start()
        server.run_until_stopped()
    return 0 if server.ended_by is None else 128 + server.ended_by


def _announce(ready: Ready) -> None:
    sys.stdout.write(ready.to_json() + "\n")
    sys.stdout.flush()


def _stop_at_eof(server: HttpServer) -> None:
    # Not through sys.stdin: its lock would still be held when a signal ends the interpreter.
    descriptor = sys.stdin.fileno()
    while os.read(descriptor, 4096):
        pass
    server.stop()


if __name__ == "__main__":
    sys.exit(main())
