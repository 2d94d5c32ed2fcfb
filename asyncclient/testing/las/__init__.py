"""The emulator of Lucidtech AI Services (las).

It serves all operations of the API, the token endpoint (``/token`` and ``/oauth2/token``) and the file server, and begins
with an organization (``me``), the pre-trained models ``las:organization:cradl/las:model:invoice`` and ``receipt``, plans,
deployment environments, roles, and the logs of a workflow long gone.

Where the service is known, it does as the service; where it is not, it decides and says so:

- A token that was never issued is refused with 403 and ``Forbidden``, an expired or revoked one with 401.
- Ids are not checked against their patterns; an id of nothing is a 404, in bodies too.
- Asynchronous jobs do not take time but looks: ``pending_polls`` of them see the job unfinished.
- Files come back as they were stored, whatever size or page is asked for. Digests are base64 of md5.
- ``maxResults`` below 1 stands for the default.
"""

from __future__ import annotations

from asyncclient.testing.las.app import create
from asyncclient.testing.las.options import Options
from asyncclient.testing.las.state import LasState

__all__ = ["LasState", "Options", "create"]
