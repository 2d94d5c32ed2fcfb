"""The contenders of ``calls.py``. Run as a script: one contender in a process of its own, driven by lines of JSON.

Only the standard library is imported at the top: the official client runs in a virtual environment of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

Call = Callable[[], Any]
AsyncCall = Callable[[], Awaitable[Any]]


class Contender:
    """Makes one kind of call, so many at a time."""

    def __init__(self, base_url: str, path: str, most: int) -> None:
        self.base_url = base_url
        self.url = base_url + path
        self.asset_id = path.rpartition("/")[2]
        self.most = most  # calls at a time

    def call_once(self) -> Any:
        raise NotImplementedError

    def call_many(self, count: int, concurrency: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class AsyncContender(Contender):
    """One event loop; workers that take the next number until none is left."""

    def __init__(self, base_url: str, path: str, most: int) -> None:
        super().__init__(base_url, path, most)
        self.runner = asyncio.Runner()
        self.call: AsyncCall = self.runner.run(self.open())

    async def open(self) -> AsyncCall:
        raise NotImplementedError

    async def aclose(self) -> None:
        raise NotImplementedError

    def call_once(self) -> Any:
        return self.runner.run(self._once())

    async def _once(self) -> Any:
        return await self.call()

    def call_many(self, count: int, concurrency: int) -> None:
        self.runner.run(self._many(count, concurrency))

    async def _many(self, count: int, concurrency: int) -> None:
        left = iter(range(count))
        await asyncio.gather(*(self._work(left) for _ in range(concurrency)))

    async def _work(self, left: Iterator[int]) -> None:
        for _ in left:
            await self.call()

    def close(self) -> None:
        self.runner.run(self.aclose())
        self.runner.close()


class ThreadContender(Contender):
    """One thread for each call at a time; with one at a time, the main thread."""

    call: Call

    def call_once(self) -> Any:
        return self.call()

    def call_many(self, count: int, concurrency: int) -> None:
        left = iter(range(count))
        if concurrency == 1:
            self._work(left)
            return
        threads = [threading.Thread(target=self._work, args=(left,)) for _ in range(concurrency)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, left: Iterator[int]) -> None:
        for _ in left:  # next() of a range iterator is one step of the interpreter
            self.call()


def _credentials(base_url: str) -> Any:
    from asyncclient import las

    return las.Credentials("id", "secret", base_url, f"{base_url}/v1")


class AsyncClientContender(AsyncContender):
    async def open(self) -> AsyncCall:
        import asyncclient
        from asyncclient import las

        # As many connections as calls at a time, for every contender: waiting for one is not what is measured.
        self.hub = asyncclient.AsyncHub(limits=asyncclient.Limits(max_connections=self.most + 4, control_reserve=4))
        client = las.AsyncClient(_credentials(self.base_url), hub=self.hub)
        return lambda: client.get_asset(self.asset_id)

    async def aclose(self) -> None:
        await self.hub.aclose()


class FacadeContender(ThreadContender):
    def __init__(self, base_url: str, path: str, most: int) -> None:
        super().__init__(base_url, path, most)
        import asyncclient
        from asyncclient import las

        self.hub = asyncclient.Hub(limits=asyncclient.Limits(max_connections=most + 4, control_reserve=4))
        client = las.Client(_credentials(base_url), hub=self.hub)
        self.call = lambda: client.get_asset(self.asset_id)

    def close(self) -> None:
        self.hub.close()


class AiohttpContender(AsyncContender):
    async def open(self) -> AsyncCall:
        import aiohttp
        import orjson

        session = self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=self.most))
        url = self.url

        async def call() -> Any:
            async with session.get(url) as response:
                return orjson.loads(await response.read())

        return call

    async def aclose(self) -> None:
        await self.session.close()


class HttpxContender(AsyncContender):
    async def open(self) -> AsyncCall:
        import httpx

        limits = httpx.Limits(max_connections=self.most, max_keepalive_connections=self.most)
        self.client = httpx.AsyncClient(trust_env=False, limits=limits)
        client, url = self.client, self.url

        async def call() -> Any:
            return (await client.get(url)).json()

        return call

    async def aclose(self) -> None:
        await self.client.aclose()


class RequestsContender(ThreadContender):
    def __init__(self, base_url: str, path: str, most: int) -> None:
        super().__init__(base_url, path, most)
        import requests
        from requests.adapters import HTTPAdapter

        self.session = requests.Session()
        self.session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=most))
        self.call = lambda: self.session.get(self.url).json()

    def close(self) -> None:
        self.session.close()


class OfficialContender(ThreadContender):
    def __init__(self, base_url: str, path: str, most: int) -> None:
        super().__init__(base_url, path, most)
        import las  # type: ignore[import-not-found,unused-ignore]  # the official client, in its own environment

        # Its token endpoint is https only; a token in its cache file spares the request.
        cache = Path(tempfile.mkdtemp(prefix="asyncclient-benchmark-")) / "token-cache.json"
        cache.write_text(json.dumps({"b": {"access_token": "t" * 800, "expires_in": time.time() + 86_400}}), "utf-8")
        credentials = las.Credentials("id", "secret", "localhost", f"{base_url}/v1", "b", cache)
        cache.unlink()
        cache.parent.rmdir()
        client = las.Client(credentials)
        self.call = lambda: client.get_asset(self.asset_id)

    def close(self) -> None:
        pass


CONTENDERS: dict[str, type[Contender]] = {
    "asyncclient": AsyncClientContender,
    "asyncclient, blocking": FacadeContender,
    "aiohttp + orjson": AiohttpContender,
    "httpx.AsyncClient": HttpxContender,
    "requests.Session": RequestsContender,
    "lucidtech-las": OfficialContender,
}


def digest_of(answer: Any) -> str:
    """Return a digest of a decoded answer that does not depend on the order or spacing of its JSON."""
    return hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()


def _measure(contender: Contender, count: int, concurrency: int) -> dict[str, Any]:
    digest = digest_of(contender.call_once())
    before, started_s = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    contender.call_many(count, concurrency)
    wall_s, after = time.perf_counter() - started_s, resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"wall_s": wall_s, "cpu_s": cpu_s, "count": count, "digest": digest}


def main() -> None:
    """Read ``{"count": ..., "concurrency": ...}`` lines, write a measurement for each; end with the input."""
    name, base_url, path, most, loop = sys.argv[1:]
    if loop == "asyncio":
        sys.modules["uvloop"] = None  # type: ignore[assignment]  # an import of it fails, as where it is not installed
    else:
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    contender = CONTENDERS[name](base_url, path, int(most))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_measure(contender, order["count"], order["concurrency"])), flush=True)
    contender.close()


if __name__ == "__main__":
    main()
