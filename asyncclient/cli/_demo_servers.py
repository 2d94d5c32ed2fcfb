"""The servers of the demo: one for each service, each in a process of its own, started and ended together.

They end when this process does, whatever ends it: their standard input ends then.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final, Protocol

from asyncclient.cli._errors import Problem

__all__ = ["ChildServer", "Served", "started"]

_END_S: Final = 5.0


class Served(Protocol):
    """A server, from :func:`asyncclient.testing.serve` or here."""

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    def start(self) -> Any:
        """Start; return when requests are served."""
        ...

    def credentials(self) -> dict[str, str]:
        """Return what a client needs."""
        ...

    def close(self) -> None:
        """End, and return when nothing is left; may be repeated."""
        ...


class ChildServer:
    """A server of :mod:`asyncclient.cli._demo_server`, which can be asked what has arrived.

    Args:
        service: ``lfview`` or ``sticky_pi``.
        options: Of the emulator, or the configuration of the server.
    """

    def __init__(self, service: str, options: Mapping[str, Any]) -> None:
        self._order = {"service": service, "options": dict(options)}
        self._child: subprocess.Popen[str] | None = None
        self._ready: dict[str, Any] = {}
        self._asking = threading.Lock()

    @property
    def url(self) -> str:
        """Where it is."""
        return str(self._ready["url"])

    @property
    def pid(self) -> int | None:
        """Process id, while it runs."""
        return None if self._child is None else self._child.pid

    def credentials(self) -> dict[str, str]:
        """Return what a client needs."""
        return dict(self._ready["credentials"])

    def start(self) -> ChildServer:
        """Start; returns when requests are served.

        Raises:
            OSError: It ended instead.
        """
        # A session of its own: Ctrl-C is for this process; the child ends when its input does.
        self._child = subprocess.Popen(
            [sys.executable, "-m", "asyncclient.cli._demo_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            self._ready = self._ask(json.dumps(self._order))
        except BaseException:
            self.close()
            raise
        return self

    async def account(self) -> dict[str, Any]:
        """Return what has arrived.

        Raises:
            OSError: The server has ended.
        """
        return await asyncio.to_thread(self._ask, "")

    def _ask(self, line: str) -> dict[str, Any]:
        child = self._child
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None
        with self._asking:  # one question, one answer, also when whoever asked has gone meanwhile
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(f"{line}\n")
                child.stdin.flush()
            answer = child.stdout.readline()
        if not answer:
            raise OSError(f"the process of {self._order['service']} has ended")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """End the process through its own handle, and return when it is gone."""
        child, self._child = self._child, None
        if child is None:
            return
        assert child.stdin is not None
        with child, contextlib.suppress(BrokenPipeError):
            child.stdin.close()
            try:
                child.wait(_END_S)
            except subprocess.TimeoutExpired:
                child.kill()


@contextlib.contextmanager
def started(servers: Mapping[str, Served]) -> Iterator[Callable[[], None]]:
    """Start servers, all at the same time; they are gone when the block is left.

    Yields:
        A function that waits until all of them serve. It raises a :class:`Problem` if one does not.
    """
    with ThreadPoolExecutor(max(1, len(servers)), "demo-server") as threads:
        starting = {name: threads.submit(server.start) for name, server in servers.items()}
        try:
            yield lambda: _wait(starting)
        finally:
            ends = [threads.submit(_end, starting[name], server) for name, server in servers.items()]
            for end in ends:
                end.result()


def _end(starting: Future[Any], server: Served) -> None:
    wait([starting])  # a process that was started a moment ago can be ended when it has said where it is
    server.close()


def _wait(starting: Mapping[str, Future[Any]]) -> None:
    for name, future in starting.items():
        try:
            future.result()
        except (RuntimeError, OSError) as error:
            raise Problem(f"the server of {name} did not start: {error}") from error
