"""Objects in an S3 bucket."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, ClassVar, Final

import anyio

from asyncclient._extras import without
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient.errors import ConfigurationError
from asyncclient.sticky_pi._s3_sign import Signer
from asyncclient.sticky_pi._staging import Staged, as_bytes
from asyncclient.sticky_pi._storage_base import AsyncBaseStorage
from asyncclient.sticky_pi._storage_keys import bundle_key, counts

__all__ = ["AsyncS3Storage"]

_CONNECTIONS: Final = 32
_CACHED_URLS: Final = 100_000
_FRESH: Final = 0.95  # of its life, a URL is handed out


class _Upload(Staged):
    def __init__(self, storage: AsyncS3Storage, contents: Mapping[str, bytes]) -> None:
        self._storage, self._contents = storage, contents

    async def publish(self) -> None:
        async with anyio.create_task_group() as tasks:
            for key, content in self._contents.items():
                tasks.start_soon(self._storage._put_object, key, content)

    async def discard(self) -> None:
        self._contents = {}


class AsyncS3Storage(AsyncBaseStorage):
    """Objects in the bucket ``S3_BUCKET_NAME`` of ``S3_HOST``, which is reached by https unless it names a scheme.

    Further variables: ``S3_ACCESS_KEY``, ``S3_PRIVATE_KEY``, ``S3_REGION`` (default ``us-east-1``) and
    ``S3_SIGNATURE``: ``s3`` or ``s3v4`` for the links that users get. Default: ``s3v4`` at Amazon, which takes nothing
    else in most regions, and ``s3`` elsewhere, as on the platform's server.

    Args:
        api_conf: The configuration.

    Raises:
        ConfigurationError: A variable is missing or has an unknown value.
    """

    _expiration: ClassVar[int] = 604800

    def __init__(self, api_conf: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(api_conf)
        self._signer = _signer(api_conf)
        self._bucket = self._signer.bucket
        self._urls: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._opening: anyio.Lock | None = None

    async def open(self) -> None:
        """Make the client; nothing is sent. May be repeated, and is done by what needs it."""
        if self._opening is None:
            self._opening = anyio.Lock()
        async with self._opening:
            if self._client is None:
                self._client = await self._make_client()

    async def _make_client(self) -> Any:
        try:
            from aiobotocore.config import AioConfig
            from aiobotocore.session import get_session
        except ModuleNotFoundError as error:
            raise ConfigurationError(str(without(error, "S3", "sticky-pi-server"))) from error
        return await self._stack.enter_async_context(
            get_session().create_client(
                "s3",
                endpoint_url=self._signer.endpoint,
                region_name=self._signer.region,
                aws_access_key_id=self._signer.access_key,
                aws_secret_access_key=self._signer.secret_key,
                config=AioConfig(
                    signature_version="s3v4",
                    s3={"addressing_style": "path"},
                    max_pool_connections=_CONNECTIONS,
                    retries={"max_attempts": 4, "mode": "standard"},
                    request_checksum_calculation="when_required",  # not every store knows the newer checksums
                    response_checksum_validation="when_required",
                ),
            )
        )

    async def aclose(self) -> None:
        """Close the connections. May be repeated."""
        self._client = None
        await self._stack.aclose()

    async def _ready(self) -> Any:
        if self._client is None:
            await self.open()
        return self._client

    async def _put_object(self, key: str, content: bytes) -> None:
        client = await self._ready()
        await client.put_object(Bucket=self._bucket, Key=key, Body=content)

    async def _stage(self, files: Mapping[str, Any]) -> Staged:
        contents = {
            key: content if isinstance(content, bytes) else await run_hop(as_bytes, content, crew=DISK)
            for key, content in files.items()
        }
        return _Upload(self, contents)

    async def _delete(self, keys: Sequence[str]) -> None:
        async with anyio.create_task_group() as tasks:
            for key in keys:
                tasks.start_soon(self._delete_object, key)

    async def _delete_object(self, key: str) -> None:
        client = await self._ready()
        await client.delete_object(Bucket=self._bucket, Key=key)

    def _url(self, key: str) -> str:
        now = time.time()
        known = self._urls.get(key)
        if known is not None and known[0] > now:
            self._urls.move_to_end(key)
            return known[1]
        url = self._signer.get(key, int(now), self._expiration)
        self._urls[key] = (now + _FRESH * self._expiration, url)
        if len(self._urls) > _CACHED_URLS:
            self._urls.popitem(last=False)
        return url

    def _upload_target(self, key: str) -> Any:
        return self._signer.post(key, int(time.time()), self._expiration)

    async def _list_bundle(self, bundle_name: str, what: str) -> list[dict[str, Any]]:
        prefix, found = bundle_key(bundle_name), []
        client = await self._ready()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        async for page in pages:
            for entry in page.get("Contents", ()):
                key = entry["Key"][len(prefix) :]
                if counts(key, what):
                    found.append({**self._described(entry), "key": key})
        return [{"key": row.pop("key"), **row} for row in sorted(found, key=lambda row: str(row["key"]))]

    def _described(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "path": entry["Key"],
            "md5": entry["ETag"].strip('"'),
            "mtime": entry["LastModified"].timestamp(),
            "url": self._url(entry["Key"]),
        }


def _signer(conf: Mapping[str, Any]) -> Signer:
    needed = ("S3_HOST", "S3_BUCKET_NAME", "S3_ACCESS_KEY", "S3_PRIVATE_KEY")
    if missing := [name for name in needed if not conf.get(name)]:
        raise ConfigurationError(f"S3 needs {', '.join(missing)}")
    host = str(conf["S3_HOST"]).rstrip("/")
    at_amazon = host.partition(":")[0].endswith(".amazonaws.com")
    version = conf.get("S3_SIGNATURE") or ("s3v4" if at_amazon else "s3")
    if version not in ("s3", "s3v4"):
        raise ConfigurationError(f"S3_SIGNATURE must be s3 or s3v4, not {version!r}")
    return Signer(
        endpoint=host if "://" in host else f"https://{host}",
        bucket=str(conf["S3_BUCKET_NAME"]),
        access_key=str(conf["S3_ACCESS_KEY"]),
        secret_key=str(conf["S3_PRIVATE_KEY"]),
        region=str(conf.get("S3_REGION") or "us-east-1"),
        version=2 if version == "s3" else 4,
    )
