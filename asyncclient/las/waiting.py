"""Helpers for what takes the service a while."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from asyncclient.errors import ArgumentError, AsyncClientError, DeadlineExceeded
from asyncclient.las._generated.operations.predictions import GET_PREDICTION
from asyncclient.las.resources import ResourceMethods

if TYPE_CHECKING:
    from asyncclient.las._generated import models

__all__ = ["WaitingMethods"]


class WaitingMethods(ResourceMethods):
    """Polling and heartbeats."""

    async def wait_for_prediction(
        self, prediction_id: str, *, interval_s: float = 1.0, factor: float = 1.25, timeout_s: float | None = 300.0
    ) -> models.Prediction:
        """Wait until an asynchronous prediction has succeeded or failed.

        Args:
            prediction_id: Of the answer of ``create_prediction(..., run_async=True)``.
            interval_s: Seconds before the second look.
            factor: By which the wait grows, up to 30 seconds.
            timeout_s: Seconds in all; None waits for ever.

        Returns:
            The prediction; ``status`` is ``succeeded`` or ``failed``, with the reason in ``error``.

        Raises:
            DeadlineExceeded: It is still pending after ``timeout_s``.
        """
        if interval_s < 0 or factor < 1:
            raise ArgumentError("interval_s must be at least 0 and factor at least 1", argument="interval_s")
        scope = asyncio.timeout(timeout_s)
        try:
            async with scope:
                while True:
                    prediction = await self._call(GET_PREDICTION, {"prediction_id": prediction_id})
                    if prediction.get("status") != "pending":
                        return prediction
                    await asyncio.sleep(interval_s)
                    interval_s = min(30.0, interval_s * factor)
        except TimeoutError as error:
            if not scope.expired() or timeout_s is None:
                raise
            raise DeadlineExceeded("wait_for_prediction", timeout_s) from error

    @contextlib.asynccontextmanager
    async def heartbeats(
        self, transition_id: str, execution_id: str, *, interval_s: float = 30.0
    ) -> AsyncGenerator[None]:
        """Send heartbeats for a manual transition execution while the block runs.

        A heartbeat that fails is sent again at the next turn; if the last one failed when the block ends, its error is
        raised, because the execution may have timed out.
        """
        failure: list[AsyncClientError] = []

        async def beat() -> None:
            while True:
                try:
                    await self.send_heartbeat(transition_id, execution_id)
                    failure.clear()
                except AsyncClientError as error:
                    failure[:] = [error]
                await asyncio.sleep(interval_s)

        task = asyncio.create_task(beat())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if failure:
            raise failure[0]
