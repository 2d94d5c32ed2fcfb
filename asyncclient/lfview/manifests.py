"""Views: what is shown together, and who may see it."""

from asyncclient.lfview._generated.models.manifests import View, ViewMetadata

__all__ = ["View", "ViewMetadata"]
