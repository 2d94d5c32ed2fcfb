"""What the emulator of Flywheel does for the operations it acts on."""

from __future__ import annotations

from asyncclient.testing.flywheel.handlers import (
    analyses,
    batches,
    collections,
    containers,
    downloads,
    files,
    forms,
    gears,
    jobs,
    marks,
    permissions,
    records,
    resolver,
    site,
    uploads,
    views,
)
from asyncclient.testing.flywheel.route import Handler

__all__ = ["HANDLERS"]

HANDLERS: dict[tuple[str, str], Handler] = {
    **containers.TABLE,
    **marks.TABLE,
    **permissions.TABLE,
    **records.TABLE,
    **collections.TABLE,
    **files.TABLE,
    **downloads.TABLE,
    **uploads.TABLE,
    **forms.TABLE,
    **analyses.TABLE,
    **resolver.TABLE,
    **views.TABLE,
    **gears.TABLE,
    **jobs.TABLE,
    **batches.TABLE,
    **site.TABLE,
}
