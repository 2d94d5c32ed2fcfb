"""What the blocking classes have that is not made from the async ones."""

from __future__ import annotations

import abc
import functools
import inspect
import os
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from asyncclient._sync.base import SyncFacade
from asyncclient.sticky_pi._bundles import list_bundle_files
from asyncclient.sticky_pi._spec import AsyncBaseAPISpec

__all__ = ["BaseAPISpec", "BlockingStorage"]

A = TypeVar("A")


class BlockingStorage(SyncFacade[A]):
    """The base of the blocking storages."""

    @classmethod
    def local_bundle_files_info(
        cls, bundle_dir: str | os.PathLike[str], what: str = "all", ignored_dir_names: Collection[str] = (".cache",)
    ) -> list[dict[str, Any]]:
        """List the files of a bundle in a folder: ``key``, ``path``, ``md5`` and ``mtime``.

        Args:
            bundle_dir: The folder.
            what: ``all``, ``data`` (folders ``data`` and ``config``) or ``model`` (``output`` and ``config``).
            ignored_dir_names: Folders whose own files do not count.
        """
        return list_bundle_files(bundle_dir, what, ignored_dir_names)


def _blocking(function: Callable[..., Any]) -> Any:
    """Return an abstract method with the signature and words of an abstract coroutine."""

    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(function.__name__)

    # Not a coroutine function any more, whatever it was made from.
    method.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return abc.abstractmethod(method)


_MEMBERS = {
    name: _blocking(member)
    for name, member in vars(AsyncBaseAPISpec).items()
    if inspect.iscoroutinefunction(member) and not name.startswith("_")
}

BaseAPISpec: type[Any] = abc.ABCMeta(
    "BaseAPISpec",
    (abc.ABC,),
    {
        "__doc__": "The blocking form of :class:`AsyncBaseAPISpec`: one abstract method for each operation.",
        "__module__": "asyncclient.sticky_pi.specifications",
        **_MEMBERS,
    },
)
