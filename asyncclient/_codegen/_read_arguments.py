"""From the places of a request to the arguments of a method."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from asyncclient._codegen._annotations import Annotator, union
from asyncclient._codegen._description import Description, Schema
from asyncclient._codegen._errors import DescriptionError
from asyncclient._codegen._facts import argument_facts
from asyncclient._codegen._ir import Argument, Parameter

__all__ = ["ArgumentReader", "Source", "whole_argument"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of one argument goes."""

    parameter: Parameter | None
    schema: Schema
    raw: Mapping[str, Any]
    by_base: tuple[str, str] | None = None
    """Type and meaning of an argument that the base of the methods handles."""


class ArgumentReader:
    """Reads the arguments of the methods of one service.

    Args:
        description: Where names are looked up.
        annotator: Writes types.
        named_enums: Whether types name sets of values, so that they need not be listed.
        may_be_positional: Tells of operation and argument whether a keyword may be given by position too.
    """

    def __init__(
        self,
        description: Description,
        annotator: Annotator,
        *,
        named_enums: bool,
        may_be_positional: Callable[[str, str], bool],
    ) -> None:
        self._description = description
        self._annotator = annotator
        self._named_enums = named_enums
        self._may_be_positional = may_be_positional

    def argument(self, operation: str, entry: Mapping[str, Any], sources: Mapping[str, Source]) -> Argument:
        """Read one argument.

        Raises:
            DescriptionError: Its value has no place in the request.
        """
        name = entry["name"]
        source = sources.get(name)
        if source is None:
            raise DescriptionError(f"{operation}: the argument {name} goes nowhere; write the method by hand")
        kind = entry["kind"]
        if kind == "keyword" and self._may_be_positional(operation, name):
            kind = "positional"
        default = _default(entry, source)
        if source.by_base is not None:
            annotation, note = source.by_base
            return Argument(name, kind, annotation if default != "None" else f"{annotation} | None", default, (note,))
        return Argument(
            name=name,
            kind=kind,
            annotation=self._argument_type(source, default),
            default=default,
            notes=tuple(self._notes(source, default)),
            sent=source.parameter is not None,
        )

    def _argument_type(self, source: Source, default: str | None) -> str:
        parameter = source.parameter
        in_query = parameter is not None and parameter.place in ("query", "header")
        parts = [self._annotator.argument(source.schema, query=in_query)]
        if parameter is not None and parameter.convert == "to-dict":
            parts = ["SupportsToDict", "Mapping[str, Any]"]
        if parameter is not None and parameter.convert == "listed":
            parts = [part.replace("Sequence[", "Iterable[") for part in parts]
        if default == "UNSET":
            parts.append("Unset")
        if "x-string-argument" in source.raw:
            parts.insert(0, "str")
        if parameter is not None and parameter.convert in ("iso", "iso-local"):
            parts.append("dt.datetime")
        if default in ("None", "UNSET") and not (parameter is not None and parameter.none == "error"):
            parts.append("None")
        if default is None or default not in ("None", "UNSET"):
            parts = [re.sub(r" \| None$", "", part) for part in parts]
        return union(parts)

    def _notes(self, source: Source, default: str | None) -> Iterator[str]:
        yield from argument_facts(self._description, source.schema, named_enums=self._named_enums)
        parameter = source.parameter
        if parameter is None:
            yield "Accepted and not sent."
            return
        if default == "UNSET" and parameter.place == "body" and parameter.none in ("null", "empty-list"):
            yield f"None is sent as {'``null``' if parameter.none == 'null' else '``[]``'}."
        if parameter.falsy == "omit" and parameter.place == "body":
            yield "Left out when empty."
        if default == "UNSET" and parameter.default is not None:
            yield f"Default: ``{parameter.default}``."
        years = [key.rpartition("-")[2] for key in source.raw if re.fullmatch(r"x-server-\d{4}", key)]
        if years:
            yield f"The service no longer names it (description of {years[0]})."

    def extra_note(self, raw: Mapping[str, Any], schema: Schema) -> str:
        """Say which further keywords the service knows."""
        known = schema.get("x-server-only-properties")
        if not known or "x-var-keyword" not in raw:
            return ""
        words = []
        for key, member in known.items():
            facts = [
                fact[:1].lower() + fact[1:].removesuffix(".") for fact in argument_facts(self._description, member)
            ]
            words.append(f"``{key}`` ({', '.join([self._annotator.argument(member), *facts])})")
        return f"Sent as they are. Known to the service: {', '.join(words)}."


def whole_argument(entry: Mapping[str, Any]) -> Argument:
    """Return the argument whose members are parameters."""
    return Argument(entry["name"], entry["kind"], "SupportsToDict | Mapping[str, Any]", None)


def _default(entry: Mapping[str, Any], source: Source) -> str | None:
    if entry["required"]:
        return None
    if entry.get("default") == "$unset" or "x-sent-when-absent" in source.raw:
        return "UNSET"
    return repr(entry.get("default"))
