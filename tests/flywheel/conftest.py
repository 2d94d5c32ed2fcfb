from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from asyncclient import AsyncHub, Hub, flywheel
from asyncclient.testing import Server
from asyncclient.types import RetryPolicy
from tests.flywheel.fake_service import FakeService, fake_service

QUICK = RetryPolicy(max_retries=7, base_transport_s=0, base_server_s=0, base_throttle_s=0)


@pytest.fixture
def service() -> Iterator[FakeService]:
    """One for each test: what another one has sent and given up may arrive late."""
    with fake_service() as found:
        yield found


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in [
        name for name in os.environ if name.startswith(("FLYWHEEL_", "FW_")) or name.lower().endswith("_proxy")
    ]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))


class Driver:
    """Calls one client, awaited or blocking, by the names of its methods."""

    def __init__(self, kind: str, key: str, **options: Any) -> None:
        options = {"disable_auth_check": True, **options}
        self.kind = kind
        self._runner = asyncio.Runner()
        self._hub: Any = AsyncHub() if kind == "async" else Hub()
        make: Any = flywheel.AsyncClient if kind == "async" else flywheel.Client
        self.client: Any = make(key, hub=self._hub, **options).with_options(retry=QUICK)

    def __call__(self, name: str, *args: Any, **kwargs: Any) -> Any:
        owner = self.client
        *groups, method = name.split(".")
        for group in groups:
            owner = getattr(owner, group)
        return self.done(getattr(owner, method)(*args, **kwargs))

    def done(self, value: Any) -> Any:
        """Wait for what an async client gives; a blocking one gives the result itself."""
        if self.kind == "async" and inspect.isawaitable(value):

            async def wait() -> Any:
                return await value

            return self._runner.run(wait())
        return value

    def listed(self, items: Any) -> list[Any]:
        """Take all items of an iterator."""
        if self.kind == "sync":
            return list(items)

        async def take() -> list[Any]:
            return [item async for item in items]

        return self._runner.run(take())

    def close(self) -> None:
        if self.kind == "async":
            self._runner.run(self._hub.aclose())
        else:
            self._hub.close()
        self._runner.close()


@pytest.fixture(params=["async", "sync"])
def drive(request: pytest.FixtureRequest, service: FakeService) -> Iterator[Driver]:
    driver = Driver(request.param, service.key)
    yield driver
    driver.close()


@pytest.fixture(params=["async", "sync"])
def sites(request: pytest.FixtureRequest, asyncclient_serve: Callable[..., Server]) -> Iterator[Callable[..., Any]]:
    """A function that serves an emulator with these options, and gives a site with a client of either kind."""
    from tests.flywheel.sites import Site, make_site

    made: list[Site] = []

    def make(**options: Any) -> Site:
        made.append(make_site(asyncclient_serve("flywheel", **options), request.param))
        return made[-1]

    yield make
    for site in made:
        site.drive.close()
