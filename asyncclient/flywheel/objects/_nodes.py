"""What comes of a path: its nodes, and what lies below the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncclient.flywheel.objects._binding import Bindable, bind

__all__ = ["ResolverOutputMixin"]


class ResolverOutputMixin(Bindable):
    """The nodes of a path."""

    if TYPE_CHECKING:
        path: Any
        children: Any

    def _bind(self, client: Any) -> None:
        object.__setattr__(self, "_fw", client)
        before: Any = None
        for node in self.path or ():
            bind(node, client)
            if getattr(node, "container_type", None) == "file" and before is not None:
                object.__setattr__(node, "_owner", before)
            before = node
        for node in self.children or ():
            bind(node, client)
            if getattr(node, "container_type", None) == "file" and before is not None:
                object.__setattr__(node, "_owner", before)
