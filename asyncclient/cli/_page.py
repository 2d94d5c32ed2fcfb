"""What all HTML reports have in common: one file, nothing loaded from elsewhere, light and dark, replaced whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Final

__all__ = ["document", "write_page"]

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5d6b7a; --edge: #d5dbe1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #9aa8b6; --edge: #3a4652; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); margin: 2rem auto; max-width: 1000px; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p, figcaption { color: var(--soft); margin: .3rem 0; }
.plot { width: 100%; height: auto; } .plot text { fill: var(--soft); font-size: 11px; }
figure { margin: 0; } figcaption { font-size: .8rem; }
"""
# The policy keeps a page what it says it is, whatever stands in names that others chose.
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(title: str, style: str, body: str) -> str:
    """Write a page.

    Args:
        title: Plain text; also the first heading.
        style: Rules beyond those all pages share.
        body: HTML; whatever is not from here must be escaped in it.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head><body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def write_page(path: Path, text: str) -> None:
    """Write a page; the file is replaced whole or not at all. Blocks.

    Raises:
        OSError: It cannot be written there; what was there is as it was.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        with suppress(OSError):  # readable as files usually are, not only for its owner
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
