"""Pointers: another resource, as an object or as its URL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asyncclient.lfview._kinds import Kind, Locate, shown
from asyncclient.lfview.exceptions import ValidationError

if TYPE_CHECKING:
    from asyncclient.lfview._base import Model, Resource

__all__ = ["ANY_ELEMENT", "ANY_RESOURCE", "Pointer"]

ANY_RESOURCE: Final = "([a-zA-Z0-9]+/){1,2}[a-z][a-z0-9]{0,31}$"
"""End of the URL of a resource of any type."""
ANY_ELEMENT: Final = "elements/[a-zA-Z0-9]+/[a-z][a-z0-9]{0,31}$"
"""End of the URL of an element of any type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer(Kind):
    """An object of one of some classes, or the URL of one.

    What is neither is offered to the classes in turn: each may build an object of it.

    Attributes:
        targets: The classes; for ``pattern`` a base class, of which nothing is built.
        pattern: End of the URLs, where it is not that of the classes.
    """

    targets: tuple[type[Resource], ...]
    pattern: str | None = None

    def accept(self, value: Any) -> Resource | str:
        if isinstance(value, self.targets):
            return value
        if isinstance(value, str):
            return self._url(value)
        if self.pattern is not None:
            raise ValidationError(f"expected {self._names()} or its URL, got {shown(value)}")
        return self._built(value)

    def _patterns(self) -> tuple[str, ...]:
        return (self.pattern,) if self.pattern else tuple(target.POINTER_PATTERN for target in self.targets)

    def _names(self) -> str:
        return " or ".join(target.__name__ for target in self.targets)

    def _url(self, text: str) -> str:
        # The text before the pattern is free; fullmatch, because "$" would let a final line end pass.
        if any(re.fullmatch(f".*?(?:{pattern})", text, re.DOTALL) for pattern in self._patterns()):
            return str(text)
        ends, query = " or ".join(self._patterns()), " with a query" if "?" in text else ""
        given = shown(text.partition("?")[0]) + query  # queries hold signatures, which messages must not
        raise ValidationError(f"expected {self._names()} or its URL, which ends with {ends}; got {given}")

    def _built(self, value: Any) -> Resource:
        refusals = []
        for target in self.targets:
            try:
                return target.from_value(value)
            except ValidationError as error:
                refusals.append(str(error))
        raise ValidationError("; or ".join(dict.fromkeys(refusals)))

    def read(self, value: Any) -> Any:
        if not isinstance(value, dict) or self.pattern is not None:
            return value
        refusals = []
        for target in sorted(self.targets, key=lambda target: len(value.keys() - target.model_fields.keys())):
            try:
                return target.from_json(value)
            except ValidationError as error:
                refusals.append(str(error))
        raise ValidationError("; or ".join(refusals))

    def dump(self, value: Any, locate: Locate) -> Any:
        return value if isinstance(value, str) else locate(value)

    def parts(self, value: Any) -> Iterable[tuple[str, Model]]:
        return () if isinstance(value, str) else (("", value),)

    def pointers(self, value: Any) -> Iterable[Resource | str]:
        return (value,)

    def schema(self) -> dict[str, Any]:
        patterns = [{"pattern": pattern} for pattern in self._patterns()]
        return {"type": "string"} | (patterns[0] if len(patterns) == 1 else {"anyOf": patterns})
