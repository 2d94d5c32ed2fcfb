"""The version of the package, and how it presents itself."""

from __future__ import annotations

from typing import Final

__all__ = ["USER_AGENT", "__version__"]

__version__: Final = "0.1.0"
USER_AGENT: Final = f"asyncclient/{__version__}".encode("ascii")
