"""``transition_handler``: run a function as a workflow step.

What is to be reported is decided by two pure functions; a blocking and an async wrapper act on it.
"""

from __future__ import annotations

import functools
import inspect
import json
import logging
import os
import traceback
from collections.abc import Callable
from typing import Any, Final

from asyncclient.las.client import AsyncClient

__all__ = ["failure_report", "result_report", "transition_handler"]

_log = logging.getLogger(__name__)
_MESSAGE_LIMIT: Final = 4096  # characters the service keeps of an error message


def transition_handler(fn: Callable[..., Any]) -> Callable[[], Any]:
    """Make a workflow step of a function ``(client, input) -> output`` or ``-> (output, status)``.

    The step is named by ``TRANSITION_ID`` and ``EXECUTION_ID`` in the environment. The function is called with a
    client (credentials as in ``Client()``) and the input of the execution; what it returns ends the execution. Only a
    tuple of two counts as output and status; None is the output ``{}``. A status other than ``succeeded`` sends the
    output as error message. An exception ends the execution as ``failed``, with the end of the traceback, and is
    raised again.

    A coroutine function gets an ``AsyncClient`` and becomes a coroutine function; any other gets a ``Client``.

    Raises:
        KeyError: One of the two variables is not set; nothing was sent.
    """
    return _async_handler(fn) if inspect.iscoroutinefunction(fn) else _sync_handler(fn)


def _sync_handler(fn: Callable[..., Any]) -> Callable[[], None]:
    @functools.wraps(fn)
    def run() -> None:
        from asyncclient.las._generated.sync.client import Client  # loads the loop thread: for blocking steps only

        with Client() as client:
            ids = os.environ["TRANSITION_ID"], os.environ["EXECUTION_ID"]
            try:
                execution: Any = client.get_transition_execution(*ids)
                report = result_report(fn(client, execution["input"]))
                client.update_transition_execution(*ids, **report)
            except Exception as error:
                _log.exception("the step failed")
                client.update_transition_execution(*ids, **failure_report(error))
                raise

    return run


def _async_handler(fn: Callable[..., Any]) -> Callable[[], Any]:
    @functools.wraps(fn)
    async def run() -> None:
        async with AsyncClient() as client:
            ids = os.environ["TRANSITION_ID"], os.environ["EXECUTION_ID"]
            try:
                execution: Any = await client.get_transition_execution(*ids)
                report = result_report(await fn(client, execution["input"]))
                await client.update_transition_execution(*ids, **report)
            except Exception as error:
                _log.exception("the step failed")
                await client.update_transition_execution(*ids, **failure_report(error))
                raise

    return run


def result_report(result: Any) -> dict[str, Any]:
    """Return the arguments of the update that reports what a step returned."""
    output, status = result if isinstance(result, tuple) and len(result) == 2 else (result, "succeeded")
    if status == "succeeded":
        return {"status": status, "output": {} if output is None else output}
    message = output if isinstance(output, str) else json.dumps(output, indent=2)
    return {"status": status, "error": {"message": message[:_MESSAGE_LIMIT]}}


def failure_report(error: BaseException) -> dict[str, Any]:
    """Return the arguments of the update that reports an exception: the end of its traceback."""
    text = "".join(traceback.format_exception(error))
    return {"status": "failed", "error": {"message": text[-_MESSAGE_LIMIT:]}}
