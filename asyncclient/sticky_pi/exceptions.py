"""The errors of the platform: those it names, and those of images, bundles and tuboids."""

from __future__ import annotations

from typing import Final

from asyncclient import errors
from asyncclient.errors import ArgumentError

__all__ = [
    "InvalidBundle",
    "InvalidImage",
    "InvalidImageMetadata",
    "InvalidImageName",
    "InvalidTuboid",
    "NotAJPEG",
    "RemoteAPIException",
    "UnsafeKey",
    "refusal_class",
]


class RemoteAPIException(errors.APIError):
    """The server refused, and repeating was no use; ``status`` and ``body`` say how.

    Refusals are subclasses of it and of the general error of their status, ``errors.Forbidden`` for example.
    """


class RemoteBadRequest(RemoteAPIException, errors.BadRequest):
    """400 or 422."""


class RemoteUnauthorized(RemoteAPIException, errors.Unauthorized):
    """401: wrong user name, password or token."""


class RemoteForbidden(RemoteAPIException, errors.Forbidden):
    """403: the role of the user does not suffice."""


class RemoteNotFound(RemoteAPIException, errors.NotFound):
    """404."""


class RemoteConflict(RemoteAPIException, errors.Conflict):
    """409: it is there already."""


class RemoteTooManyRequests(RemoteAPIException, errors.TooManyRequests):
    """429."""


class RemoteServerError(RemoteAPIException, errors.ServerError):
    """5xx; older servers give no other answer to a call they cannot carry out."""


_CLASSES: Final = {
    400: RemoteBadRequest,
    401: RemoteUnauthorized,
    403: RemoteForbidden,
    404: RemoteNotFound,
    409: RemoteConflict,
    422: RemoteBadRequest,
    429: RemoteTooManyRequests,
}


def refusal_class(status: int) -> type[RemoteAPIException]:
    """Return the class of the refusal with a status."""
    return _CLASSES.get(status, RemoteServerError if status >= 500 else RemoteAPIException)


class InvalidImage(ArgumentError):
    """A file is not an image of the platform."""


class InvalidImageName(InvalidImage):
    """The name of a file does not say which device took it, and when."""


class NotAJPEG(InvalidImage, RuntimeError):
    """The content of a file is no JPEG picture, is cut off, or would fill the memory."""


class InvalidImageMetadata(InvalidImage, LookupError):
    """The EXIF data of an image is missing, or does not say what it must."""


class InvalidTuboid(ArgumentError, AssertionError):
    """The folder of a tuboid, or the series it is put into, is not as it must be."""


class InvalidBundle(ArgumentError, AssertionError):
    """The folder of a bundle is not named as the bundle."""


class UnsafeKey(ArgumentError, AssertionError):
    """A file would lie outside of the folder it belongs to."""
