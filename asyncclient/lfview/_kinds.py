"""What a property accepts, how it is kept, written and read: the base, and the kinds without parts.

A kind stands in the annotation of a field. Pydantic asks it for the schema of the field, assignment and ``validate()``
ask it directly, so that a value is judged by the same function wherever it comes from.
"""

from __future__ import annotations

import numbers
import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic_core import core_schema

from asyncclient.lfview._numpy import np
from asyncclient.lfview.exceptions import Problem, ValidationError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

    from asyncclient.lfview._base import Model, Resource

__all__ = ["Boolean", "Choice", "Float", "Integer", "Kind", "Locate", "Text", "shown"]

Locate: TypeAlias = "Callable[[Resource], Any]"
"""Gives what stands for another resource in JSON."""


def _is_number(value: Any) -> bool:
    return isinstance(value, (numbers.Real, np.bool_))  # numpy registers its numbers, its truth value not


def shown(value: object) -> str:
    """Return a short text of a value, for messages."""
    return reprlib.repr(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One property kind.

    Attributes:
        required: Whether ``validate()`` refuses an object without the property.
        on_set: Rules for an accepted value; they raise ``ValidationError``.
    """

    required: bool = False
    on_set: tuple[Callable[[Any], None], ...] = ()

    def set(self, value: object) -> Any:
        """Return what is kept for a value given by the user; None is unset.

        Raises:
            ValidationError: The value is refused.
        """
        if value is None:
            return None
        kept = self.accept(value)
        for rule in self.on_set:
            rule(kept)
        return kept

    def accept(self, value: Any) -> Any:
        """Convert and check, without the rules."""
        raise NotImplementedError

    def read(self, value: Any) -> Any:
        """Turn a value of an answer into one that can be set."""
        return value

    def unknown(self, value: Any) -> int:
        """Count the keys of an answer's value for which this kind has no place."""
        return 0

    def dump(self, value: Any, locate: Locate) -> Any:
        """Return the JSON form of a kept value."""
        return value

    def check(self, value: Any) -> Iterable[Problem]:
        """Yield what is wrong with a kept value that assignment lets pass."""
        return ()

    def parts(self, value: Any) -> Iterable[tuple[str, Model]]:
        """Yield the objects in a kept value, with their place in it."""
        return ()

    def pointers(self, value: Any) -> Iterable[Resource | str]:
        """Yield the resources a kept value points to, as objects or URLs."""
        return ()

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the wire form."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(self._show)
        return core_schema.no_info_plain_validator_function(self.set, serialization=write)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return self.schema()

    def _show(self, value: Any) -> Any:
        # model_dump() also serves for looking at what is not uploaded yet: such children are written out.
        return None if value is None else self.dump(value, lambda child: child.url or child.model_dump())


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Kind):
    """Text of at most so many characters."""

    max_length: int | None = None

    def accept(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(f"expected text, got {shown(value)}")
        if self.max_length is not None and len(value) > self.max_length:
            raise ValidationError(f"at most {self.max_length} characters, got {len(value)}")
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string"} | ({} if self.max_length is None else {"maxLength": self.max_length})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Number(Kind):
    minimum: float | None = None
    maximum: float | None = None

    def _within(self, value: Any) -> None:
        if self.minimum is not None and value < self.minimum:
            raise ValidationError(f"at least {self.minimum:g}, got {value:g}")
        if self.maximum is not None and value > self.maximum:
            raise ValidationError(f"at most {self.maximum:g}, got {value:g}")

    def _bounds(self) -> dict[str, Any]:
        both = {"minimum": self.minimum, "maximum": self.maximum}
        return {key: bound for key, bound in both.items() if bound is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(_Number):
    """An integral number: ``2.0`` is one, ``2.5`` and ``"2"`` are not, ``True`` is 1."""

    def accept(self, value: Any) -> int:
        try:
            kept: int | None = int(value) if _is_number(value) else None
        except (ValueError, OverflowError):  # NaN and infinities
            kept = None
        if kept is None or kept != value:
            raise ValidationError(f"expected an integer, got {shown(value)}")
        self._within(kept)
        return kept

    def schema(self) -> dict[str, Any]:
        return {"type": "integer"} | self._bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Float(_Number):
    """A finite number."""

    def accept(self, value: Any) -> float:
        if not _is_number(value):
            raise ValidationError(f"expected a number, got {shown(value)}")
        try:
            kept = float(value)
        except OverflowError:
            kept = float("inf")
        if not np.isfinite(kept):  # JSON has no word for it
            raise ValidationError(f"expected a finite number, got {shown(value)}")
        self._within(kept)
        return kept

    def schema(self) -> dict[str, Any]:
        return {"type": "number"} | self._bounds()


_WORDS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "yes", "y", "on"), True),
    **dict.fromkeys(("false", "no", "n", "off"), False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean(Kind):
    """A truth value; with ``cast`` that of anything. Answers may also use words."""

    cast: bool = False

    def accept(self, value: Any) -> bool:
        if self.cast:
            try:
                return bool(value)
            except (ValueError, TypeError) as error:  # arrays with several elements have none
                raise ValidationError(f"expected a truth value, got {shown(value)}") from error
        if not isinstance(value, (bool, np.bool_)):
            raise ValidationError(f"expected True or False, got {shown(value)}")
        return bool(value)

    def read(self, value: Any) -> Any:
        return _WORDS.get(value.lower(), value) if isinstance(value, str) else value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Kind):
    """One of some words, whatever their case; an alias is replaced by its word."""

    words: tuple[str, ...]
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def accept(self, value: Any) -> str:
        folded = value.lower() if isinstance(value, str) else None
        for word in self.words:
            if folded in (word.lower(), *(alias.lower() for alias in self.aliases.get(word, ()))):
                return word
        raise ValidationError(f"expected one of {', '.join(self.words)}, got {shown(value)}")

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}
