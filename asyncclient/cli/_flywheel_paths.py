"""Paths at Flywheel, names of local files, and which files are wanted. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from asyncclient.cli._errors import Problem

__all__ = [
    "SCHEME",
    "Filter",
    "is_remote",
    "left_behind",
    "parse",
    "safe_name",
    "shown",
    "unique_names",
]

SCHEME: Final = "fw://"

_LONGEST_BYTES: Final = 200
"""Of a name; files under way have a few more bytes in theirs, and file systems take 255."""
_LEFT_BEHIND: Final = re.compile(r"\..+\.[0-9a-f]{12}\.part", re.DOTALL)
_REPLACEMENT: Final = "_"
_UNSAFE: Final = frozenset('/\\:*?"<>|')
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(1, 10))}
)
_TYPES: Final = {
    "dicom": (".dcm", ".dcm.zip", ".dicom.zip", ".dicom"),
    "nifti": (".nii", ".nii.gz", ".nifti"),
    "archive": (".zip", ".tbz2", ".tar.gz", ".tbz", ".tar.bz2", ".tgz", ".tar", ".txz", ".tar.xz"),
    "bval": (".bval", ".bvals"),
    "bvec": (".bvec", ".bvecs"),
    "image": (".jpg", ".tif", ".jpeg", ".gif", ".bmp", ".png", ".tiff"),
    "tabular data": (".csv", ".tsv", ".csv.gz", ".tsv.gz"),
    "spreadsheet": (".xls", ".xlsx"),
    "source code": (".c", ".py", ".cpp", ".js", ".m", ".json", ".java", ".php", ".css", ".toml", ".yaml", ".yml"),
    "text": (".txt",),
    "markdown": (".md", ".markdown"),
    "pdf": (".pdf",),
    "video": (".mpeg", ".mpg", ".mov", ".mp4", ".m4v", ".mts"),
    "audio": (".mp3", ".wav", ".wave"),
    "log": (".log",),
    "MATLAB data": (".mat",),
}
"""Extensions by the types that the service gives files."""


def is_remote(text: str) -> bool:
    """Tell whether a path is one at the service."""
    return text.startswith(SCHEME)


def parse(text: str) -> tuple[str, ...]:
    """Return the steps of a path such as ``fw://group/project``; ``%2F`` stands for a slash in a label.

    Raises:
        Problem: A step is empty, ``.`` or ``..``.
    """
    path = text.removeprefix(SCHEME).removesuffix("/")
    steps = tuple(step.replace("%2F", "/").replace("%2f", "/").replace("%25", "%") for step in path.split("/"))
    if not path:
        return ()
    if any(step.strip() in ("", ".", "..") for step in steps):
        raise Problem(f"{text}: a path is of names with slashes between, such as fw://group/project/subject")
    return steps


def shown(steps: Iterable[str]) -> str:
    """Return a path as :func:`parse` reads it."""
    return SCHEME + "/".join(step.replace("%", "%25").replace("/", "%2F") for step in steps)


def safe_name(text: str) -> str:
    """Return a name that a file can have, in its folder and nowhere else, on any system."""
    kept = "".join(sign if sign.isprintable() and sign not in _UNSAFE else _REPLACEMENT for sign in text)
    kept = kept.strip(" ")
    if kept.rstrip(".") != kept or not kept:  # so are "." and ".."
        kept = kept.rstrip(". ") + _REPLACEMENT
    if kept.partition(".")[0].lower() in _DEVICES:
        kept = _REPLACEMENT + kept
    return _short(kept)


def _short(name: str) -> str:
    """Cut a name in the middle: the extension says what is in the file."""
    if len(name.encode()) <= _LONGEST_BYTES:
        return name
    tail = name[-20:].encode()
    return name.encode()[: _LONGEST_BYTES - len(tail)].decode("utf-8", "ignore") + tail.decode()


def unique_names(entries: Iterable[tuple[str, str]]) -> list[str]:
    """Return safe names for what lies side by side; the second of a name gets its id too.

    Args:
        entries: Label and id of each.
    """
    taken: set[str] = set()
    names = []
    for label, identity in entries:
        name = safe_name(label)
        while os.path.normcase(name) in taken:  # a label may look like a name that was made here
            name = safe_name(f"{identity}~{name}")
        taken.add(os.path.normcase(name))
        names.append(name)
    return names


def left_behind(name: str) -> bool:
    """Tell whether a name is one that an interrupted download leaves behind."""
    return _LEFT_BEHIND.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which files are wanted.

    Attributes:
        types: Types of files, such as ``nifti``; none stands for all.
        without_types: Types that are not wanted.
        names: Patterns of names; none stands for all.
    """

    types: Sequence[str] = ()
    without_types: Sequence[str] = ()
    names: Sequence[str] = ()

    def takes(self, name: str, kind: str | None = None) -> bool:
        """Tell whether a file is wanted.

        Args:
            name: Of the file.
            kind: Its type; where it is not known, it is told by the name.
        """
        kind = kind or type_of(name)
        if self.names and not any(fnmatchcase(name, pattern) for pattern in self.names):
            return False
        return kind not in self.without_types and (not self.types or kind in self.types)

    def check(self, shown_as: str, name: str, kind: str | None = None) -> None:
        """Refuse a file that was named, and is not among those that are wanted.

        Raises:
            Problem: It is not.
        """
        if not self.takes(name, kind):
            raise Problem(f"{shown_as}: is not among the files that --type, --exclude-type and --name ask for")


def type_of(name: str) -> str:
    """Return the type of a file by its name, "" if there is none; the longest extension tells."""
    lower = name.lower()
    found = [(len(end), kind) for kind, ends in _TYPES.items() for end in ends if lower.endswith(end)]
    return max(found)[1] if found else ""
