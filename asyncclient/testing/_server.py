"""A running emulator, for ``with`` and ``async with``."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from asyncclient.testing._registry import check_name
from asyncclient.testing._runners import Address, ProcessRunner, Ready, Runner, ThreadRunner

__all__ = ["Server"]


class Server:
    """An emulator behind a real socket. Made by :func:`asyncclient.testing.serve`.

    It serves between entering and leaving the ``with`` or ``async with`` block, or between :meth:`start` and :meth:`close`,
    and can be used once.
    """

    def __init__(self, name: str, address: Address, *, process: bool, options: dict[str, Any]) -> None:
        check_name(name)
        self.name = name
        self._address = address
        self._process = process
        self._options = options
        self._runner: Runner | None = None
        self._ready: Ready | None = None

    def start(self) -> Server:
        """Start serving.

        Raises:
            ImportError: The extra ``testing`` is not installed.
            OSError: The port is taken.
            ValueError: An option is unknown.
        """
        if self._runner is not None:
            raise RuntimeError("a server can be started once; make another one with serve()")
        kind = ProcessRunner if self._process else ThreadRunner
        self._runner = kind(self.name, self._address, self._options)
        self._ready = self._runner.start()
        return self

    def close(self) -> None:
        """Stop serving, hang up on whoever is connected, delete all files. Closing twice does nothing."""
        if self._runner is not None:
            self._runner.stop()

    @property
    def url(self) -> str:
        """Base URL, for instance ``http://127.0.0.1:40123``."""
        return self._started().url

    @property
    def ca_file(self) -> str | None:
        """Path of the throw-away authority's certificate (PEM); None without TLS."""
        return self._started().ca_file

    def credentials(self) -> dict[str, str]:
        """Return keyword arguments for the credentials of the service's client.

        For ``las``: ``client_id``, ``client_secret``, ``auth_endpoint``, ``api_endpoint``. For ``voxel51``:
        ``private_key``, ``application_key``, ``base_api_url``, from which ``Token.from_private_key`` makes tokens.
        """
        return dict(self._started().credentials)

    @property
    def state(self) -> Any:
        """The emulator's state: requests seen, faults to come, data.

        Raises:
            RuntimeError: The emulator runs in another process, or not yet.
        """
        if self._process:
            raise RuntimeError(
                "the emulator runs in a process of its own; its state can be reached without process=True"
            )
        self._started()
        assert self._runner is not None
        assert self._runner.emulator is not None
        return self._runner.emulator.state

    def _started(self) -> Ready:
        if self._ready is None:
            raise RuntimeError("the server is not running: use it in a with block")
        return self._ready

    def __repr__(self) -> str:
        return f"<Server {self.name} {'not started' if self._ready is None else self._ready.url}>"

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Server:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)
