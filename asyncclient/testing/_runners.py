"""Where an emulator runs: in a thread of this process, or in a process of its own."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncclient.testing._registry import load, make

if TYPE_CHECKING:
    from asyncclient.testing._emulator import Emulator
    from asyncclient.testing._uvicorn import HttpServer

__all__ = ["Address", "ProcessRunner", "Ready", "Runner", "ThreadRunner", "serving"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """What is known once requests are served."""

    url: str
    ca_file: str | None
    credentials: dict[str, str]

    def to_json(self) -> str:
        """Write it as one line."""
        return json.dumps({"url": self.url, "ca_file": self.ca_file, "credentials": self.credentials})

    @classmethod
    def from_json(cls, line: str) -> Ready:
        """Read what :meth:`to_json` wrote."""
        return cls(**json.loads(line))


@contextlib.contextmanager
def serving(emulator: Emulator, address: Address, on_ready: Callable[[Ready], None]) -> Iterator[HttpServer]:
    """Prepare an HTTP server for an emulator; delete its files at the end."""
    uvicorn = load("asyncclient.testing._uvicorn")
    with contextlib.ExitStack() as stack:
        stack.callback(emulator.close)
        files: dict[str, str] = {}
        ca_file: str | None = None
        if address.tls:
            folder = Path(tempfile.mkdtemp(prefix="asyncclient-emulator-tls-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            made = load("asyncclient.testing._tls").make_certificates(folder, address.host, "127.0.0.1", "localhost")
            files = {"certificate_file": str(made.certificate_file), "key_file": str(made.key_file)}
            ca_file = str(made.ca_file)
        listener = stack.enter_context(uvicorn.listen(address.host, address.port))
        url = _url(address, listener.getsockname()[1])
        ready = Ready(url, ca_file, emulator.credentials(url))
        yield uvicorn.HttpServer(emulator, listener, lambda: on_ready(ready), **files)


def _url(address: Address, port: int) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{'https' if address.tls else 'http'}://{host}:{port}"


class Runner:
    """Starts a server and ends it."""

    emulator: Emulator | None = None

    def start(self) -> Ready:
        """Start, and return when requests are served."""
        raise NotImplementedError

    def stop(self) -> None:
        """End, and return when nothing is left."""
        raise NotImplementedError


class ThreadRunner(Runner):
    """Runs the server in a thread, with the emulator's state at hand."""

    def __init__(self, name: str, address: Address, options: dict[str, Any]) -> None:
        self._name = name
        self.emulator = make(name, options)
        self._emulator = self.emulator
        self._address = address
        self._stack = contextlib.ExitStack()
        self._ready: Ready | None = None
        self._settled = threading.Event()

    def start(self) -> Ready:
        """Start, and return when requests are served."""
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(serving(self._emulator, self._address, self._set_ready))
            # A daemon, so that a server that was never closed does not keep the program alive.
            thread = threading.Thread(target=self._run, args=(server,), name=f"emulator {self._name}", daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.stop)
            self._settled.wait()
            if self._ready is None:
                raise RuntimeError("the emulator did not start; its thread has told why")
            self._stack = stack.pop_all()
        return self._ready

    def _set_ready(self, ready: Ready) -> None:
        self._ready = ready
        self._settled.set()

    def _run(self, server: HttpServer) -> None:
        try:
            server.run_until_stopped()
        finally:
            self._settled.set()

    def stop(self) -> None:
        """End, and return when the thread is gone."""
        self._stack.close()


class ProcessRunner(Runner):
    """Runs the server in a child process, which ends by itself when this process does.

    The child says on its standard output that it is ready, and ends when its standard input does: when we close it, or
    when we are gone.

    Attributes:
        end_s: How long it may take to end before it is killed.
    """

    end_s = 10.0

    def __init__(self, name: str, address: Address, options: dict[str, Any]) -> None:
        self._command = [
            *(sys.executable, "-m", "asyncclient.testing", name, "--until-eof"),
            *("--host", address.host, "--port", str(address.port), "--options", json.dumps(options)),
            *(["--tls"] if address.tls else []),
        ]
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> Ready:
        """Start, and return when requests are served."""
        # A session of its own: Ctrl-C is for us; the child ends when we do.
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._child = child
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError(f"the emulator did not start; its process ended with status {child.returncode}")
        return Ready.from_json(line)

    @property
    def pid(self) -> int | None:
        """Process id of the child, while it runs."""
        return None if self._child is None else self._child.pid

    def stop(self) -> None:
        """End the child through its own handle, and return when it is gone."""
        child, self._child = self._child, None
        if child is None:
            return
        assert child.stdin is not None
        assert child.stdout is not None
        with child.stdout, contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        try:
            child.wait(self.end_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
