"""Methods that are no operations of their own: another form of the arguments or of the answer of one that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from asyncclient._codegen._description import Description
from asyncclient._codegen._errors import DescriptionError
from asyncclient._codegen._ir import Answer, Argument, Operation

__all__ = ["derived_operations"]

_FAMILIES: Final = ("as-data", "download-url", "signed-upload", "wrap-body")
"""The families that follow from a rule; those of other names are written by hand."""
_VERBS: Final = {"set": "Set", "replace": "Replace", "delete": "Delete", "add": "Add to"}


def derived_operations(description: Description, operations: Sequence[Operation]) -> list[Operation]:
    """Read ``x-derived-methods``, each beside the operation it stands on.

    Raises:
        DescriptionError: A method stands on an operation that does not exist.
    """
    by_name = {operation.name: operation for operation in operations}
    found: list[Operation] = []
    for entry in description.derived():
        if entry["family"] not in _FAMILIES:
            continue
        name = entry.get("operation") or _uploads(entry)
        if name not in by_name:
            raise DescriptionError(f"{entry['name']} stands on {name}, which does not exist")
        found.append(_MAKERS[entry["family"]](entry, by_name[name]))
    return found


def _uploads(entry: Mapping[str, Any]) -> str:
    """Name the operation a signed upload stands on; nested analyses are known by their own id alone."""
    method: str = entry["name"].removeprefix("signed_")
    return "upload_output_to_analysis" if method.endswith("_analysis") else method


def _as_data(entry: Mapping[str, Any], base: Operation) -> Operation:
    arguments = tuple(argument for argument in base.arguments if argument.name != "dest_file")
    summary = base.summary.replace("to a local path", "into memory")
    return replace(
        base,
        name=entry["name"],
        summary=summary,
        arguments=arguments,
        answer=Answer("bytes", "bytes", note="The whole content."),
        call="_as_data",
        endpoint=base.name,
        page=None,
    )


def _download_url(entry: Mapping[str, Any], base: Operation) -> Operation:
    arguments = tuple(argument for argument in base.arguments if argument.name != "ticket")
    return replace(
        base,
        name=entry["name"],
        summary=base.summary.replace("Issue a download ticket for", "Make a URL that fetches"),
        arguments=arguments,
        answer=Answer(
            "str", note="It holds a ticket and needs no login; what was asked for beside the file is repeated in it."
        ),
        call="_download_url",
        endpoint=base.name,
        page=None,
    )


def _signed_upload(entry: Mapping[str, Any], base: Operation) -> Operation:
    first = _positional(base.arguments)[0]
    given = [param["name"] for param in entry["params"]]
    own = {argument.name: argument for argument in base.arguments}
    ignored = "Accepted and not sent: analyses are known by their own id."
    positional = [
        own.get(
            name,
            replace(
                first, name=name, sent=place == len(given) - 2, notes=() if place == len(given) - 2 else (ignored,)
            ),
        )
        for place, name in enumerate(given)
    ]
    keywords = [argument for argument in base.arguments if argument.kind == "keyword"]
    return replace(
        base,
        name=entry["name"],
        summary=base.summary.removesuffix(".") + " through signed URLs alone.",
        arguments=(*positional, *keywords),
        answer=Answer(
            "list[models.FileOutput] | None",
            note="The records; None where the site offers no signed URLs, and nothing was sent.",
        ),
        call="_signed_upload",
        endpoint=base.name,
        wrap=first.name,
        page=None,
    )


def _wrapped(entry: Mapping[str, Any], base: Operation) -> Operation:
    kind = "Sequence[str]" if entry["wraps"] == "delete" and "info" in entry["name"] else "Mapping[str, Any]"
    arguments = tuple(
        replace(argument, annotation=kind, notes=(f"Sent under ``{entry['wraps']}``.",))
        if argument.name == "body"
        else argument
        for argument in base.arguments
    )
    what = (
        base.summary.rpartition(" of ")[2]
        if "classification" in entry["name"]
        else base.summary.partition(" keys of ")[2]
    )
    verb = _VERBS[entry["name"].partition("_")[0]]
    thing = "classification values" if "classification" in entry["name"] else "custom info keys"
    if "replace" in entry["name"]:
        thing = "whole classification" if "classification" in entry["name"] else "whole custom info"
        verb = "Replace the"
    return replace(
        base,
        name=entry["name"],
        summary=f"{verb} {thing} of {what}",
        arguments=arguments,
        endpoint=base.name,
        wrap=entry["wraps"],
        page=None,
    )


def _positional(arguments: Sequence[Argument]) -> list[Argument]:
    return [argument for argument in arguments if argument.kind == "positional"]


_MAKERS: Final = {
    "as-data": _as_data,
    "download-url": _download_url,
    "signed-upload": _signed_upload,
    "wrap-body": _wrapped,
}
