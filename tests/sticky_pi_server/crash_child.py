"""Stores or deletes images, and kills itself on the way. Run with: folder, step at which to die, what to do, files."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from asyncclient.sticky_pi import _api_base, _staging
from asyncclient.sticky_pi._api import AsyncLocalAPI

STEPS = 0


def step() -> None:
    """Count a step; the chosen one is the last."""
    global STEPS
    STEPS += 1
    if int(sys.argv[2]) == STEPS:
        os.kill(os.getpid(), signal.SIGKILL)


def stepping(function: Any) -> Any:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        step()
        result = function(*args, **kwargs)
        step()
        return result

    return wrapped


class SteppingPath(type(Path())):  # type: ignore[misc]
    """Renames and removals are steps."""

    def replace(self, target: Any) -> Any:
        step()
        return super().replace(target)

    def unlink(self, missing_ok: bool = False) -> None:
        step()
        super().unlink(missing_ok)


async def main() -> None:
    _staging.Path = SteppingPath  # type: ignore[misc]
    _staging.DiskStaging.write = stepping(_staging.DiskStaging.write)  # type: ignore[method-assign]
    _staging.DiskStaging.publish = stepping(_staging.DiskStaging.publish)  # type: ignore[method-assign]
    sweep = _api_base.APIBase._sweep

    async def stepping_sweep(*args: Any) -> None:
        step()
        await sweep(*args)
        step()

    _api_base.APIBase._sweep = stepping_sweep  # type: ignore[method-assign]
    async with AsyncLocalAPI({"LOCAL_DIR": sys.argv[1]}) as api:
        if sys.argv[3] == "put":
            await api._put_new_images([(path, None) for path in sys.argv[4:]])
        else:
            rows = await api.get_image_series(
                [{"device": "%", "start_datetime": "2000-01-01", "end_datetime": "2055-01-01"}]
            )
            await api.delete_images(rows)
    print(STEPS)


asyncio.run(main())
