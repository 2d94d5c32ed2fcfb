"""The one place that asks for numpy, so that a missing one is named with the extra that brings it."""

from __future__ import annotations

try:
    import numpy as np
except ImportError as error:
    raise ImportError("the LF View resource models need numpy: pip install 'asyncclient[lfview]'") from error

__all__ = ["np"]
