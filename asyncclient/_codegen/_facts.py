"""Sentences about a value that its type cannot say: ranges, forms of ids, sets of values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from asyncclient._codegen._description import Description, Schema

__all__ = ["argument_facts", "member_facts", "readable_pattern", "sentence", "values_of"]

_READABLE: Final = (
    (re.compile(r"\[(?:a-f0-9|0-9a-f)\]\{(\d+)\}"), r"<\1 hex digits>"),
    (re.compile(r"\[0-9\]\+|\\d\+"), "<number>"),
    (re.compile(r"\[[0-9A-Za-z_-]+\](?:\+|\{\d+(?:,\d+)?\})"), "<name>"),
)
_OPTIONAL: Final = re.compile(r"\(\|([^()]*)\)|\(([^()]*)\)\?")
_OPERATORS: Final = re.compile(r"[\\()*+?{}^$]|\.[*+]")


def sentence(text: str) -> str:
    """End a text with a full stop, on one line."""
    text = " ".join(text.split())
    return text if not text or text[-1] in ".!?" else text + "."


def readable_pattern(pattern: str) -> str | None:
    """Turn a regular expression into the form a reader expects, or None if it has none.

    ``^las:asset:[a-f0-9]{32}$`` becomes ``las:asset:<32 hex digits>``; an optional part is put in brackets.
    """
    if re.fullmatch(r"(\^[^|^()\\]+\.\*\|?)+", pattern):
        return " or ".join(f"``{part[1:-2]}...``" for part in pattern.split("|"))
    text = pattern.removeprefix("^").removesuffix("$")
    for expression, words in _READABLE:
        text = expression.sub(words, text)
    text = _OPTIONAL.sub(lambda found: f"⟦{found[1] or found[2]}⟧", text)
    if _OPERATORS.search(text) or "[" in text:
        return None
    return f"``{text.replace('⟦', '[').replace('⟧', ']')}``"


def values_of(schema: Schema) -> str:
    """List the values of an enum, ``a`` or ``b``; empty if it has none."""
    values = [value for value in schema.get("enum", ()) if value is not None]
    words = [f"``{value}``" for value in values]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1] if words else ""


def argument_facts(description: Description, schema: Schema, *, named_enums: bool = False) -> list[str]:
    """Say what values of an argument the service takes.

    Args:
        description: Where references are looked up.
        schema: What the service takes.
        named_enums: Whether the type of the argument names a set of values, so that they need not be listed.
    """
    facts = [sentence(schema["description"])] if schema.get("description") else []
    resolved = _plain(description, schema)
    if (values := values_of(resolved)) and not (named_enums and resolved is not schema):
        facts.append(f"{values}.")
    facts += _bounds(resolved)
    facts += _forms(description, resolved, named_enums=named_enums)
    return list(dict.fromkeys(facts))


def member_facts(description: Description, schema: Schema) -> list[str]:
    """Say what a member of an answer may be; sizes and forms are the service's own business."""
    facts = [sentence(schema["description"])] if schema.get("description") else []
    if values := values_of(schema):
        facts.append(f"{values}.")
    if schema.get("x-legacy"):
        facts.append(f"In {schema['x-legacy']}.")
    if schema.get("x-legacy-enum"):
        facts.append(f"Formerly also {values_of({'enum': schema['x-legacy-enum']})}.")
    return facts


def _plain(description: Description, schema: Schema) -> Schema:
    name = description.ref_name(schema)
    if name is None:
        return schema
    target = description.schemas[description.target(name)]
    return {} if target.get("properties") or "allOf" in target else {**target, "description": ""}


def _bounds(schema: Schema) -> list[str]:
    return [
        text
        for text in (
            _range(schema, "minimum", "maximum", ""),
            _range(schema, "minLength", "maxLength", " characters"),
            _range(schema, "minItems", "maxItems", " items"),
        )
        if text
    ]


def _range(schema: Mapping[str, Any], low: str, high: str, unit: str) -> str:
    least, most = schema.get(low), schema.get(high)
    if least is not None and most is not None:
        return f"{least} to {most}{unit}."
    if most is not None:
        return f"At most {most}{unit}."
    if least == 1 and unit:
        return "Not empty."
    return f"At least {least}{unit}." if least is not None else ""


def _forms(description: Description, schema: Schema, *, named_enums: bool) -> list[str]:
    branches = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    patterns = [_plain(description, branch).get("pattern") for branch in branches]
    forms = [form for pattern in patterns if pattern and (form := readable_pattern(pattern))]
    facts = [f"Like {' or '.join(forms)}."] if forms else []
    items = schema.get("items")
    if isinstance(items, Mapping) and not facts:
        each = argument_facts(description, {**items, "description": ""}, named_enums=named_enums)
        facts += [f"Each {fact[0].lower()}{fact[1:]}" for fact in each]
    return facts
