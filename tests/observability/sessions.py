"""Sessions with each service, awaited and blocking, in which everything goes wrong once."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from asyncclient import AsyncHub, Hub, flywheel, las, lfview, sticky_pi, testing, voxel51
from asyncclient._sync.portal import get_portal
from asyncclient.sticky_pi.server import create_app
from asyncclient.types import RetryPolicy
from tests.observability.tap import Tap, tapped
from tests.observability.witness import Witness
from tests.sticky_pi.pictures import series

QUICK = RetryPolicy(max_retries=1, base_transport_s=0, base_server_s=0, base_throttle_s=0)
MIB = 1024 * 1024
STATUSES = (401, 403, 404, 500)


def marked(name: str) -> str:
    """Make a secret that occurs nowhere else."""
    return f"planted-{name}-{secrets.token_hex(12)}"


@dataclass
class Site:
    """A service, a client of it, and who watches.

    Attributes:
        kind: ``async`` or ``sync``.
        transport: ``pool`` or ``httpx``.
        planted: Secrets that were given to the client.
    """

    kind: str
    transport: str
    folder: Path
    witness: Witness
    tap: Tap = field(init=False)
    hub: Any = field(init=False)
    client: Any = None
    planted: list[str] = field(default_factory=list)
    runner: asyncio.Runner = field(default_factory=lambda: asyncio.Runner())

    def plant(self, name: str) -> str:
        self.planted.append(marked(name))
        return self.planted[-1]

    def open_hub(self) -> None:
        given: dict[str, Any] = {"observers": self.witness.observers}
        if self.transport == "httpx":
            given["transport"] = httpx.AsyncClient()
        self.hub = AsyncHub(**given) if self.kind == "async" else Hub(**given)

    def pick(self, module: Any, name: str) -> Any:
        return getattr(module, f"Async{name}" if self.kind == "async" else name)

    def call(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.kind == "sync":
            return fn(*args, **kwargs)

        async def wait() -> Any:
            value = fn(*args, **kwargs)
            if inspect.isawaitable(value):
                value = await value
            return value

        return self.runner.run(wait())

    def fails(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call what may be refused, and keep the error."""
        try:
            self.witness.look_at(type(self.call(fn, *args, **kwargs)))
        except Exception as error:
            self.witness.failed(error)

    def cancelled(self, fn: Callable[..., Any], *args: Any) -> None:
        """Cancel a call that waits for its answer."""
        if self.kind == "sync":
            return

        async def run() -> None:
            task = asyncio.ensure_future(fn(*args))
            before = len(self.tap.seen)
            while len(self.tap.seen) == before and not task.done():
                await asyncio.sleep(0.005)
            self.witness.look_at(task)
            task.cancel()
            try:
                await task
            except BaseException as error:
                self.witness.failed(error)

        self.runner.run(run())

    def close(self) -> None:
        self.call(self.hub.aclose if self.kind == "async" else self.hub.close)
        self.runner.close()


def everything_goes_wrong(site: Site, operations: list[Callable[[], Any]], *, most: int = 3) -> None:
    """Make each call well, then refused at every one of its requests, cut off, late and cancelled."""
    tap = site.tap
    with debugging(site.runner.get_loop()):
        for operation in operations:
            site.call(operation)
        tap.echo, tap.after = 403, 1
        site.fails(operations[-1])
        tap.echo = None
    for number, operation in enumerate(operations):
        for after in range(most):
            tap.echo, tap.after = STATUSES[(number + after) % len(STATUSES)], after
            site.fails(operation)
            tap.echo, tap.cut, tap.cuts, tap.after = None, 7, 3, after
            site.fails(operation)
            tap.cut, tap.after = None, 0
    site.witness.look_at(site.client, site.hub, site.hub.statistics())


def late(site: Site, operation: Callable[[], Any], impatient: Callable[[], Any] | None) -> None:
    """Let a deadline pass while a service is silent, and cancel a call meanwhile."""
    tap = site.tap
    tap.hold = threading.Event()
    try:
        if impatient is not None:
            site.fails(impatient)
        site.cancelled(operation)
    finally:
        tap.hold.set()
        tap.hold = None


@contextmanager
def debugging(own: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Have asyncio log every callback, also in the loop thread of blocking classes: their arguments are shown."""
    loops = [own, get_portal().loop]
    before = [(loop.get_debug(), loop.slow_callback_duration) for loop in loops]
    for loop in loops:
        loop.set_debug(True)
        loop.slow_callback_duration = 0.0
    try:
        yield
    finally:
        for loop, (debug, least_s) in zip(loops, before, strict=True):
            loop.set_debug(debug)
            loop.slow_callback_duration = least_s


def run_las(site: Site) -> None:
    secret, key = site.plant("las-secret"), site.plant("las-header")
    emulator = testing.app("las", client_id="planted-id", client_secret=secret)
    with tapped(emulator) as site.tap:
        site.open_hub()
        cache = site.folder / "token-cache.json"
        site.witness.exempt.add(cache.name)
        credentials = las.Credentials(**emulator.credentials(site.tap.url), cached_profile="planted", cache_path=cache)
        client = site.pick(las, "Client")(credentials, hub=site.hub)
        site.client = client = client.with_options(retry=QUICK, headers={"X-Marked": key})
        site.witness.look_at(credentials, client)
        document = site.call(client.create_document, b"%PDF-1.4 planted")["documentId"]
        target = site.folder / "document.pdf"
        everything_goes_wrong(
            site,
            [
                client.list_documents,
                lambda: client.get_document(document),
                lambda: client.create_document(b"%PDF-1.4 other"),
                lambda: client.download_document(document, target),
                lambda: client.create_secret({"username": "u", "password": key}),
            ],
        )
        late(site, client.list_documents, client.with_options(timeout=0.2, max_retries=0).list_documents)
        wrong = las.Credentials(**{**emulator.credentials(site.tap.url), "client_secret": site.plant("las-wrong")})
        refused = site.pick(las, "Client")(wrong, hub=site.hub).with_options(max_retries=0)
        site.fails(refused.list_documents)
        for status in STATUSES:
            site.tap.echo, site.tap.after = status, 0
            fresh = las.Credentials(**emulator.credentials(site.tap.url))
            site.fails(site.pick(las, "Client")(fresh, hub=site.hub).with_options(retry=QUICK).list_documents)
        site.close()


def run_lfview(site: Site) -> None:
    key = site.plant("lfview-key")
    emulator = testing.app("lfview", storage_host="localhost", api_key=key)
    with tapped(emulator) as site.tap:
        site.open_hub()
        given = emulator.credentials(site.tap.url)
        site.client = session = site.pick(lfview, "Session")(**given, hub=site.hub, max_retries=1)
        rng = np.random.default_rng(1)

        def upload() -> Any:
            return session.upload(lfview.files.Array(rng.integers(0, 255, 200_000, "u1")), chunk_size=MIB)

        url = site.call(upload)
        everything_goes_wrong(site, [upload, lambda: session.download(url)], most=5)
        late(site, lambda: session.download(url), None)
        wrong = {**emulator.credentials(site.tap.url), "api_key": site.plant("lfview-wrong")}
        make = site.pick(lfview, "Session")
        site.fails(lambda: make(**wrong, hub=site.hub, max_retries=0).download(url))  # a blocking one logs in at once
        site.close()


def run_voxel51(site: Site) -> None:
    key, header = site.plant("voxel51-key"), site.plant("voxel51-header")
    emulator = testing.app(
        "voxel51",
        redirect_downloads=True,
        storage_host="localhost",
        private_key=key,
        application_key=site.plant("voxel51-application"),
    )
    with tapped(emulator) as site.tap:
        site.open_hub()
        token = voxel51.Token({"access_token": {"private_key": key, "base_api_url": site.tap.url}})
        site.witness.look_at(token)
        api = site.pick(voxel51, "API")(token, hub=site.hub).with_options(retry=QUICK, headers={"X-Marked": header})
        site.client = api
        source = site.folder / "clip.mp4"
        source.write_bytes(bytes(3 * MIB))
        data = site.call(api.upload_data, source)
        target = site.folder / "back.mp4"
        everything_goes_wrong(
            site,
            [
                api.list_data,
                lambda: api.upload_data(source),
                lambda: api.download_data(data["data_id"] if "data_id" in data else data["id"], target),
                lambda: api.post_data_as_url(
                    f"{site.tap.url}/clip.mp4?X-Goog-Signature={header}", "clip.mp4", "video/mp4", 10, "2100-01-01"
                ),
            ],
        )
        late(site, api.list_data, api.with_options(timeout=0.2, max_retries=0).list_data)
        wrong = voxel51.Token(
            {"access_token": {"private_key": site.plant("voxel51-wrong"), "base_api_url": site.tap.url}}
        )
        site.fails(site.pick(voxel51, "API")(wrong, hub=site.hub, max_retries=0).list_data)
        given = emulator.credentials(site.tap.url)
        access = {"private_key": given["application_key"], "base_api_url": site.tap.url}
        application = voxel51.ApplicationToken({"access_token": access})
        site.witness.look_at(application)
        site.close()


def run_flywheel(site: Site) -> None:
    key, drone = site.plant("flywheel-key"), site.plant("flywheel-drone")
    emulator = testing.app("flywheel", secret=key, drone_secret=drone)
    with tapped(emulator) as site.tap:
        site.open_hub()
        api_key = emulator.credentials(site.tap.url)["api_key"]
        client = site.pick(flywheel, "Client")(api_key, hub=site.hub).with_options(retry=QUICK)
        site.client = client
        group = site.call(client.add_group, {"_id": "lab", "label": "Lab"})
        project = site.call(client.add_project, {"group": "lab", "label": "Study"})
        site.witness.look_at(group, project)
        source = site.folder / "scan.dcm"
        source.write_bytes(bytes(6 * MIB))
        site.call(client.upload_file_to_project, project, source)
        everything_goes_wrong(
            site,
            [
                client.get_current_user,
                lambda: client.upload_file_to_project(project, source),
                lambda: client.download_file_from_project(project, "scan.dcm", site.folder / "back.dcm"),
                lambda: client.get_project_download_url(project, "scan.dcm"),
            ],
            most=4,
        )
        late(site, client.get_current_user, client.with_options(timeout=0.2, max_retries=0).get_current_user)
        host, port, *_ = api_key.split(":")
        login = flywheel.async_drone_client if site.kind == "async" else flywheel.create_drone_client
        for secret in (drone, site.plant("flywheel-wrong")):
            site.fails(lambda s=secret: login(host, s, "bot", "one", int(port), _force_insecure=True))
        for status in STATUSES:
            site.tap.echo, site.tap.after = status, 0
            site.fails(lambda: login(host, drone, "bot", "one", int(port), _force_insecure=True))
        site.close()


def run_sticky_pi(site: Site) -> None:
    password, server_key = site.plant("sticky-password"), site.plant("sticky-server")
    conf = {
        "SECRET_API_KEY": server_key,
        "LOCAL_DIR": str(site.folder / "server"),
        "API_ADMIN_NAME": "admin",
        "API_ADMIN_PASSWORD": password,
        "UID_USER": "spi_uid",
        "UID_PASSWORD": site.plant("sticky-uid"),
    }
    with tapped(create_app(conf), lifespan=True) as site.tap:
        site.open_hub()
        make = site.pick(sticky_pi, "RemoteClient")
        here = site.folder / "client"
        client = make(here, site.tap.url, "admin", password, hub=site.hub, max_retries=1)
        site.client = client
        everything = {"device": "%", "start_datetime": "2000-01-01T00:00:00Z", "end_datetime": "2055-12-31T00:00:00Z"}
        pictures = series(site.folder, "0a5bb6f4", 2, start=dt.datetime(2022, 5, 17, 18, 34, 50))
        site.call(client.put_images, pictures)
        user = {"username": "other", "password": site.plant("sticky-other"), "email": "a@b.example"}
        site.call(client.put_users, [user])
        everything_goes_wrong(
            site,
            [
                client.get_users,
                lambda: client.get_image_series([everything], what="image"),
                lambda: client.put_users([{**user, "username": "third"}]),
            ],
        )
        late(site, client.get_users, None)
        wrong = make(site.folder / "wrong", site.tap.url, "admin", site.plant("sticky-wrong"), hub=site.hub)
        site.fails(wrong.get_users)
        for status in STATUSES:
            site.tap.echo, site.tap.after = status, 0
            fresh = make(site.folder / "fresh", site.tap.url, "admin", password, hub=site.hub, max_retries=0)
            site.fails(fresh.get_users)
        site.close()


SESSIONS: dict[str, Callable[[Site], None]] = {
    "las": run_las,
    "lfview": run_lfview,
    "voxel51": run_voxel51,
    "flywheel": run_flywheel,
    "sticky_pi": run_sticky_pi,
}
