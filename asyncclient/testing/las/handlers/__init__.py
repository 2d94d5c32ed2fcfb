"""One function per operation of the service."""

from __future__ import annotations

from asyncclient.testing.las.handlers import account, documents, models, predictions, transitions, workflows
from asyncclient.testing.las.handlers._call import Call, Handler

__all__ = ["HANDLERS", "Call", "Handler"]

HANDLERS: dict[str, Handler] = {
    **account.HANDLERS,
    **documents.HANDLERS,
    **models.HANDLERS,
    **predictions.HANDLERS,
    **transitions.HANDLERS,
    **workflows.HANDLERS,
}
