"""One entry of ``patches``: another name for an operation."""

from asyncclient._codegen._settings import Patch

RENAMED = Patch("/paths/~1samples/get/x-python-name", "samples", "shorter", "add")
