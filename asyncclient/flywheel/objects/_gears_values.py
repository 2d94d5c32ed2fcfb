"""What gears and jobs are given: references, texts, names of inputs, places for output."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, TextIO

from asyncclient.errors import ArgumentError, ArgumentTypeError

__all__ = ["check_input", "kind_of", "member", "out_to", "reference", "several", "text"]

_OPTIONS: Final = ("config", "analysis_label", "tags", "destination", "inputs", "priority")
"""Arguments of ``run`` besides the inputs, for whom a misspelt one may have been meant."""


def member(value: Any, name: str) -> Any:
    """Return a member of a mapping or of an object; None if there is none."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def kind_of(value: Any) -> str:
    """Return the name of the type, for messages."""
    return type(value).__name__


def text(value: Any, name: str) -> str:
    """Return a text as it is.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} must be text, not {kind_of(value)}", argument=name)
    return value


def several(values: Any, name: str, what: str) -> list[Any]:
    """Return the items of a list or of another iterable, but not of one text, mapping or object.

    Raises:
        ArgumentTypeError: It is one of these, or not iterable at all.
    """
    single = isinstance(values, (str, bytes, Mapping)) or hasattr(values, "to_wire")  # models iterate over their keys
    if single or not isinstance(values, Iterable):
        raise ArgumentTypeError(f"{name} must be a list of {what}, not {kind_of(values)}", argument=name)
    return list(values)


def out_to(file: Any) -> TextIO:
    """Return what is written to: standard output if nothing was given.

    Raises:
        ArgumentTypeError: It cannot be written to, a path for example.
    """
    out: Any = file if file is not None else sys.stdout
    if not callable(getattr(out, "write", None)):
        raise ArgumentTypeError(f"file must be open for writing, not {kind_of(file)}", argument="file")
    opened: TextIO = out
    return opened


def check_input(manifest: Any, name: str) -> None:
    """Refuse an input the manifest does not have: a misspelt argument would be one, and the job run without it.

    Raises:
        ArgumentTypeError: There is no such input.
    """
    known = member(manifest, "inputs")
    if not isinstance(known, Mapping) or name in known:
        return
    import difflib

    near = difflib.get_close_matches(str(name), [*known, *_OPTIONS], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'none'}"
    raise ArgumentTypeError(f"the gear {member(manifest, 'name')!r} has no input {name!r}; {hint}", argument=name)


def reference(value: Any, name: str) -> dict[str, Any]:
    """Return what names a file or container: that of an object, a model or mapping with the members of one.

    Raises:
        ArgumentTypeError: It is none of these.
        ArgumentError: A member is missing.
    """
    ref = getattr(value, "ref", None)
    found = ref() if callable(ref) else value.to_wire() if hasattr(value, "to_wire") else value
    if not isinstance(found, Mapping):
        raise ArgumentTypeError(
            f"{name} must be a file, a container or a mapping with type and id, not {kind_of(value)}", argument=name
        )
    wanted = ("file_id",) if "file_id" in found and "type" not in found else ("type", "id")
    for key in wanted:
        if not isinstance(found.get(key), str) or not found[key]:
            raise ArgumentError(f"{name} must have type and id, and {key} is {found.get(key)!r}", argument=name)
    return dict(found)
