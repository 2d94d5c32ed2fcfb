"""The emulator of Flywheel.

It serves the whole API under ``/api`` and the storage behind signed addresses under ``/signed``. It begins empty but for one
user, who may do everything.

Acted on are the hierarchy from groups to acquisitions, collections and analyses with their files, versions, notes, tags, info
and permissions; finders with filters, sort orders and pages; uploads by signed addresses (single, parts as in S3, one
resumable session as in Google's storage) and as forms; downloads with tickets, ranges, zip members, archives and redirects;
the resolver; data views; gears, jobs and batches as far as those go who start them; users and devices. Every other operation
is answered with the smallest answer that the description admits, after its request was checked.

Where the service is known, it does as the service; where it is not, it decides and says so:

- Every request is checked against the description: unknown or wrong query parameters and bodies that do not fit are
  refused with 422 and details. Members of bodies that are null count as absent.
- Labels are unique among the projects of a group and the subjects of a project (409). A group that has projects cannot be
  deleted (409); everything else is deleted with all that is below it.
- A file that is uploaded under a name there is already becomes its next version. What was announced as its size must arrive.
- Users made with ``state.add_user(..., root=False)`` see and change what the permissions of projects, groups and collections
  let them: 403 for what is there, 404 for what is not, and lists without the rest. A role whose actions only view, read and
  download is for reading; one that manages permissions may do everything there.
- The three strategies of archive tickets, ``bulk`` too, take nodes and give the same files.
- Tickets do not expire and are not bound to an address; nothing is done by halves on a failed request.
- Data views know plain columns, files (facts, CSV, TSV, JSON) and groups, but no expressions. The ``json`` form wraps rows
  in ``data``.
- Jobs compute nothing: their states change when somebody changes them, by the API, by ``state.finish_job`` or, with
  ``job_polls``, by being looked at.
"""

from __future__ import annotations

from asyncclient.testing.flywheel.app import create
from asyncclient.testing.flywheel.options import Options
from asyncclient.testing.flywheel.state import FlywheelState

__all__ = ["FlywheelState", "Options", "create"]
