"""The emulator of LF View.

It serves the discovery and user endpoints, resources of all types, slides, feedback, invitations and thumbnails, and the
resumable upload sessions and content of files under ``/storage``. It begins with one user (``user1``, key ``good-key``), who
has the project ``org1/proj1``.

Where the service is known, it does as the service; where it is not, it decides and says so:

- Discovery answers any ``service``, and with addresses of the host that was asked.
- Unknown properties, ``uid`` included, are refused with 400. Pointers that lead nowhere, and values that contradict one
  another (the rules of the official classes), are refused with 422. Pointers a resource has already are not asked again
  when it is changed, so what points to a deleted resource can still be changed.
- A pointer leads to what its path says, whatever its host; relative ones are of the project they are posted to.
- A change merges what is sent into what there is. It opens a new, empty upload session, and the encoding of the old content
  goes with that (``sticky_encoding`` keeps it, as a server that merges everything would).
- Content is there when its session is complete, not before.
- Whoever is not the owner reads a view, and what its ``contents`` name, through the view service: invited users, and
  everybody once ``state.publish`` was called. ``view.editor`` adds slides; both roles give feedback.
- Sessions do what Google's storage does: see :mod:`asyncclient.testing.lfview.sessions`.
"""

from __future__ import annotations

from asyncclient.testing.lfview.app import create
from asyncclient.testing.lfview.options import Options
from asyncclient.testing.lfview.state import LfviewState

__all__ = ["LfviewState", "Options", "create"]
