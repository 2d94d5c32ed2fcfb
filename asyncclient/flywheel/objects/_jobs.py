"""What jobs can do."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from asyncclient.flywheel.objects._binding import act, bind
from asyncclient.flywheel.objects._containers import Container
from asyncclient.flywheel.objects._gears_values import out_to

__all__ = ["JobMixin"]


class JobMixin(Container):
    """What a job can do."""

    container_type: ClassVar[str] = "job"

    if TYPE_CHECKING:
        state: Any

    def _bind(self, client: Any) -> None:
        super()._bind(client)
        bind(getattr(self, "outputs", None), client)

    def change_state(self, state: str) -> Any:
        """Move the job to another state, for example ``cancelled``."""
        return self._client.change_job_state(self.id, state)

    def update_priority(self, priority: str) -> Any:
        """Set the priority: ``low``, ``medium``, ``high`` or ``critical``."""
        return self._client.update_jobs_priority({"job_ids": [self.id], "priority": priority})

    def get_logs(self) -> Any:
        """Fetch the lines of the log."""
        return act(self._client, _logs, self.id)

    def print_logs(self, file: TextIO | None = None) -> Any:
        """Write the log as it is."""
        out = out_to(file)
        lines = self.get_logs()
        # Not in one go by ``act``: a blocking client would write in the thread of the loop, which others wait for,
        # and where a notebook does not look for what a cell prints.
        return _printed(lines, out) if inspect.isawaitable(lines) else _write(lines, out)

    def wait(self, timeout_s: float | None = None) -> Any:
        """Wait until the job has ended; gives it as it is then.

        Args:
            timeout_s: Seconds to wait at most; None waits for ever.

        Raises:
            DeadlineExceeded: It has not ended by then.
        """
        return self._client.wait_for_job(self.id, timeout_s=timeout_s)


async def _logs(client: Any, job_id: str) -> list[Any]:
    record = await client.get_job_logs(job_id)
    return list(getattr(record, "logs", None) or [])


async def _printed(lines: Awaitable[Iterable[Any]], file: TextIO) -> None:
    _write(await lines, file)


def _write(lines: Iterable[Any], file: TextIO) -> None:
    for line in lines:
        file.write(line.msg or "")
