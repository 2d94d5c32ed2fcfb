"""What jobs can do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from asyncclient.flywheel.objects._binding import act
from asyncclient.flywheel.objects._containers import Container

__all__ = ["JobMixin"]


class JobMixin(Container):
    """What a job can do."""

    container_type: ClassVar[str] = "job"

    if TYPE_CHECKING:
        state: Any

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
        return act(self._client, _printed, self.id, file if file is not None else sys.stdout)

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


async def _printed(client: Any, job_id: str, file: TextIO) -> None:
    for line in await _logs(client, job_id):
        file.write(line.msg or "")
