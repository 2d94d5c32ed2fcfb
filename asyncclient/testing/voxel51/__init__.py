"""The emulator of the Voxel51 Platform.

It serves all operations for users and for applications, and the addresses of signed URLs under ``/signed``. It begins with one
user (key ``user-key-123``), one application (key ``app-key-456``) that has no users yet, and the public analytics
``voxel51/vehicle-sense`` (versions 0.9 and 0.10) and ``voxel51/scene-sense``.

Where the service is known, it does as the service; where it is not, it decides and says so:

- Time is that of ``state.clock``: the real one, which ``state.advance`` moves forward. Data whose date has passed is gone; of an
  expired job only the output is.
- Jobs do not take time but looks: ``pending_polls`` answers show them queued, scheduled and running, the next one complete.
  With ``job_seconds`` they take that long by the clock instead.
- What is in the wrong state is refused with 400, what is not there or somebody else's with 404, and what may be read but not
  changed with 403.
- A job request must name an analytic that is there and inputs that it has; its data must be there too.
- The output of a job is a JSON document that names what went in, with sizes and digests; ``state.give_output`` replaces it.
- Queries say how many records there are under ``count``. They may come as a JSON body and as a query string, lists as arrays or
  as one text; empty members count as left out. Unknown fields are refused.
- Days given to the TTL methods are added to the date there is.
- User-level requests of an application need an active user, except those about analytics and the platform's status.
- Signed URLs refuse requests that carry a key: whoever has the URL needs none, and should not show it.
"""

from __future__ import annotations

from asyncclient.testing.voxel51.app import create
from asyncclient.testing.voxel51.options import Options
from asyncclient.testing.voxel51.state import Voxel51State

__all__ = ["Options", "Voxel51State", "create"]
