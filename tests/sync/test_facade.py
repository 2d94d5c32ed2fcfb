"""The base of the generated facades, with small facades written by hand."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

import pytest

from asyncclient import AsyncHub
from asyncclient._sync import default
from asyncclient._sync.base import SyncFacade
from asyncclient._sync.portal import Portal, get_portal
from asyncclient.errors import ArgumentError, HubClosed
from asyncclient.types import Limits


class AsyncGroup:
    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    async def name(self) -> str:
        return f"group of {self.client.name}"


class AsyncClient:
    """Does what service clients do: owns or borrows a hub, opens it with the first call."""

    def __init__(self, name: str = "plain", *, hub: AsyncHub | None = None) -> None:
        if not name:
            raise ArgumentError("name must not be empty", argument="name")
        self.name = name
        self.hub = hub if hub is not None else AsyncHub()
        self.group = AsyncGroup(self)
        self.closed = 0

    async def work(self, number: int, *, progress: Callable[[int], None] | None = None) -> str:
        """Work."""
        self.hub._opened()
        if progress is not None:
            progress(number)
        await asyncio.sleep(0)
        return f"{self.name} {number}"

    async def fail(self) -> None:
        raise LookupError(self.name)

    async def items(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            await asyncio.sleep(0)
            yield number

    @asynccontextmanager
    async def scope(self) -> AsyncIterator[str]:
        yield self.name

    def with_options(self, *, name: str) -> AsyncClient:
        return AsyncClient(name, hub=self.hub)

    async def aclose(self) -> None:
        self.closed += 1

    async def __aenter__(self) -> AsyncClient:
        self.hub._opened()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<AsyncClient {self.name}>"


class Group(SyncFacade[AsyncGroup]):
    def name(self) -> str:
        return self._run(self._async.name)


class Hub(SyncFacade[AsyncHub]):
    def __init__(self, *, limits: Limits | None = None) -> None:
        self._async = self._build(AsyncHub, limits=limits)


class Client(SyncFacade[AsyncClient]):
    def __init__(self, name: str = "plain", *, hub: Hub | None = None) -> None:
        self._async = self._build(AsyncClient, name, hub=hub)

    @property
    def group(self) -> Group:
        return self._part(Group, "group")

    def work(self, number: int, *, progress: Callable[[int], None] | None = None) -> str:
        return self._run(self._async.work, number, progress=self._deliver(progress))

    def fail(self) -> None:
        return self._run(self._async.fail)

    def items(self, count: int) -> Iterator[int]:
        return self._iterate(self._async.items, count)

    def scope(self) -> AbstractContextManager[str]:
        return self._enter(self._async.scope)

    def with_options(self, *, name: str) -> Client:
        return self._derive("with_options", name=name)


@pytest.fixture(autouse=True)
def closed_portal() -> Iterator[None]:
    yield
    get_portal().close()


def test_methods_iterators_scopes_and_callbacks() -> None:
    client = Client("a")
    seen: list[tuple[int, int]] = []
    assert client.work(1) == "a 1"
    assert client.work(2, progress=lambda n: seen.append((n, threading.get_ident()))) == "a 2"
    assert seen == [(2, threading.get_ident())]
    assert list(client.items(3)) == [0, 1, 2]
    with client.scope() as name:
        assert name == "a"
    assert client.group.name() == "group of a"
    assert repr(client) == "<Client: <AsyncClient a>>"


def test_bad_arguments_are_refused_where_they_are_given_and_no_thread_is_started() -> None:
    def loop_threads() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("asyncclient-loop")]

    get_portal().close()
    with pytest.raises(ArgumentError, match="name"):
        Client("")
    client = Client("a", hub=Hub()).with_options(name="b")
    assert loop_threads() == []
    assert client.work(1) == "b 1"
    assert len(loop_threads()) == 1


def test_errors_have_a_short_traceback() -> None:
    with pytest.raises(LookupError) as caught:
        Client("a").fail()
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names == ["test_errors_have_a_short_traceback", "fail", "_run", "fail"]


def test_clients_share_one_hub_that_closes_with_the_portal() -> None:
    first, second = Client("a"), Client("b")
    assert first._async.hub is second._async.hub is default.default_hub()
    first.work(1)
    hub = first._async.hub
    first.close()
    assert not hub.closed
    get_portal().close()
    assert hub.closed
    assert second.work(1) == "b 1"
    assert second._async.hub is default.default_hub()
    assert second._async.hub is not hub


def test_a_shared_hub_that_somebody_closed_is_replaced() -> None:
    first = Client("a")
    first.work(1)
    get_portal().run(first._async.hub.aclose)
    assert Client("b").work(1) == "b 1"


def test_a_hub_that_closed_with_its_portal_is_not_bound_to_the_next() -> None:
    """A facade with a hub of its own may be the first on the new portal, while the shared hub is the old one."""
    Client("a").work(1)
    get_portal().close()
    with Hub() as hub:
        assert Client("b", hub=hub).work(1) == "b 1"
        assert default._shared.portal is None
        assert Client("c").work(1) == "c 1"


def test_a_given_hub_is_used_and_closed_with_its_with_block() -> None:
    with Hub(limits=Limits(max_connections=3)) as hub:
        client = Client("a", hub=hub)
        assert client._async.hub is hub._async
        assert client._async.hub.limits.max_connections == 3
        assert client.work(1) == "a 1"
    assert hub._async.closed
    with pytest.raises(HubClosed):
        client.work(2)


def test_an_error_in_the_with_block_goes_through() -> None:
    with pytest.raises(ValueError, match="body"), Hub() as hub:
        raise ValueError("body")
    assert hub._async.closed


def test_close_closes_once_opened_or_not() -> None:
    client = Client("a")
    client.close()
    assert client._async.closed == 1
    with client:
        client.close()
        assert client._async.closed == 2
    assert client._async.closed == 3


def test_objects_without_a_context_manager_can_be_used_with_with() -> None:
    class AsyncPlain:
        async def aclose(self) -> None:
            self.closed = True

    class Plain(SyncFacade[AsyncPlain]):
        def __init__(self) -> None:
            self._async = self._build(AsyncPlain)

    with Plain() as plain:
        pass
    assert plain._async.closed
    with Client("a").group as group:
        assert group.name() == "group of a"


def test_objects_that_make_up_attributes_are_not_closed() -> None:
    class AsyncAnything:
        def __getattr__(self, name: str) -> str:
            return name

    class Anything(SyncFacade[AsyncAnything]):
        def __init__(self) -> None:
            self._async = self._build(AsyncAnything)

    with Anything() as anything:
        assert anything._async.aclose == "aclose"


def test_with_options_shares_the_hub() -> None:
    client = Client("a")
    other = client.with_options(name="b")
    assert isinstance(other, Client)
    assert other.work(1) == "b 1"
    assert other._async.hub is client._async.hub


def test_what_was_opened_and_not_closed_is_closed_with_the_portal() -> None:
    client = Client("a", hub=Hub())
    client.work(1)
    hub = client._async.hub
    async_client = client._async
    get_portal().close()
    assert hub.closed
    assert async_client.closed == 1


def test_facades_travel_as_their_configuration() -> None:
    hub = Hub(limits=Limits(max_connections=5))
    client = Client("a", hub=hub).with_options(name="b")
    client.work(1)
    travelled = pickle.loads(pickle.dumps(client))
    assert travelled.work(2) == "b 2"
    assert travelled._async.hub.limits.max_connections == 5
    assert travelled._async.hub is not client._async.hub
    assert copy.copy(client.group).name() == "group of b"


def test_many_threads_make_one_object_anew() -> None:
    client = Client("a", hub=Hub())
    client.work(1)
    get_portal().close()
    barrier = threading.Barrier(6)
    found: list[AsyncClient] = []

    def work() -> None:
        barrier.wait()
        client.work(1)
        found.append(client._async)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


FORK = """
import asyncio, os, sys, warnings
warnings.filterwarnings("ignore", message=".*use of fork", category=DeprecationWarning)
from asyncclient import AsyncHub
from asyncclient._sync.base import SyncFacade
from asyncclient._sync.portal import get_portal

class AsyncClient:
    def __init__(self, name, *, hub=None):
        self.name, self.hub = name, hub

    async def work(self):
        self.hub._opened()
        return f"{self.name} {self.hub.limits.max_connections}"

class Client(SyncFacade):
    def __init__(self, name, *, hub=None):
        self._async = self._build(AsyncClient, name, hub=hub)

    def work(self):
        return self._run(self._async.work)

class Hub(SyncFacade):
    def __init__(self):
        self._async = self._build(AsyncHub)

used, unused = Client("used"), Client("unused")
assert used.work() == "used 32"
with Hub() as hub:
    mine = Client("mine", hub=hub)
    assert mine.work() == "mine 32"
    parents = used._async, mine._async
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        print(used.work(), unused.work(), mine.work())
        assert used._async is not parents[0]
        assert mine._async.hub is hub._async is not parents[1].hub
        assert used._async.hub is unused._async.hub is not parents[0].hub
    else:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert (used._async, mine._async) == parents
        print(used.work(), mine.work())
"""


def test_facades_build_themselves_anew_after_fork(run_script: Any) -> None:
    done = run_script(FORK)
    assert (done.stdout, done.stderr, done.returncode) == ("used 32 unused 32 mine 32\nused 32 mine 32\n", "", 0)


def test_closing_at_the_very_end_is_quiet(run_script: Any) -> None:
    done = run_script(
        """
        import atexit
        kept = []
        atexit.register(lambda: kept[0].close())
        from asyncclient import AsyncHub
        from asyncclient._sync.base import SyncFacade

        class Hub(SyncFacade):
            def __init__(self):
                self._async = self._build(AsyncHub)

        kept.append(Hub())
        with kept[0]:
            pass
        """
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_portal_of_a_facade_is_the_process_wide_one() -> None:
    client = Client("a")
    client.work(1)
    assert isinstance(client._portal, Portal)
    assert client._portal is get_portal()
