"""Kinds with parts: lists, nested objects, unions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncclient._codec import decode_json
from asyncclient.errors import DecodeError
from asyncclient.lfview._kinds import Kind, Locate, shown
from asyncclient.lfview._numpy import np
from asyncclient.lfview.exceptions import Problem, ValidationError

if TYPE_CHECKING:
    from asyncclient.lfview._base import Model, Resource

__all__ = ["List", "Object", "Union"]


@dataclass(frozen=True, slots=True, kw_only=True)
class List(Kind):
    """A list, copied on assignment; its length is checked by ``validate()``.

    Attributes:
        item: Kind of every item.
        min_length: Least number of items.
        max_length: Greatest number of items.
        coerce: Whether tuples, sets, arrays and single values are taken too.
    """

    item: Kind
    min_length: int = 0
    max_length: int | None = None
    coerce: bool = False

    def accept(self, value: Any) -> list[Any]:
        if self.coerce and not isinstance(value, list):
            value = _listed(value)
        if not isinstance(value, list):
            raise ValidationError(f"expected a list, got {shown(value)}")
        return _each(value, self._item)

    def _item(self, value: Any) -> Any:
        if value is None:
            raise ValidationError("expected a value, got None")
        return self.item.set(value)

    def read(self, value: Any) -> Any:
        return _each(value, self.item.read) if isinstance(value, list) else value

    def unknown(self, value: Any) -> int:
        return sum(map(self.item.unknown, value)) if isinstance(value, list) else 0

    def dump(self, value: Any, locate: Locate) -> Any:
        return [self.item.dump(item, locate) for item in value]

    def check(self, value: Any) -> Iterator[Problem]:
        if len(value) < self.min_length:
            yield Problem("", f"at least {self.min_length} items, got {len(value)}")
        if self.max_length is not None and len(value) > self.max_length:
            yield Problem("", f"at most {self.max_length} items, got {len(value)}")
        for index, item in enumerate(value):
            yield from (problem.under(f"[{index}]") for problem in self.item.check(item))

    def parts(self, value: Any) -> Iterator[tuple[str, Model]]:
        for index, item in enumerate(value):
            yield from ((f"[{index}]{path}", part) for path, part in self.item.parts(item))

    def pointers(self, value: Any) -> Iterator[Resource | str]:
        for item in value:
            yield from self.item.pointers(item)

    def schema(self) -> dict[str, Any]:
        bounds: dict[str, Any] = {"minItems": self.min_length} if self.min_length else {}
        if self.max_length is not None:
            bounds["maxItems"] = self.max_length
        return {"type": "array", "items": self.item.schema()} | bounds


def _listed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        plain = value.tolist()
        return plain if isinstance(plain, list) else [plain]
    return list(value) if isinstance(value, (tuple, set, frozenset)) else [value]


def _each(values: list[Any], convert: Any) -> list[Any]:
    kept, problems = [], []
    for index, value in enumerate(values):
        try:
            kept.append(convert(value))
        except ValidationError as error:
            problems += [problem.under(f"[{index}]") for problem in error.problems]
    if problems:
        raise ValidationError(problems)
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Kind):
    """A nested object, or the dictionary of its keyword arguments.

    Attributes:
        cls: Its class.
        text_form: Whether answers may hold it as JSON text.
    """

    cls: type[Model]
    text_form: bool = False

    def accept(self, value: Any) -> Model:
        if isinstance(value, self.cls):
            return value
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return self.cls(**value)
        raise ValidationError(f"expected {self.cls.__name__} or a dictionary of its arguments, got {shown(value)}")

    def read(self, value: Any) -> Any:
        value = self._parsed(value)
        return self.cls.from_json(value) if isinstance(value, dict) else value

    def _parsed(self, value: Any) -> Any:
        if self.text_form and isinstance(value, str):
            try:
                return decode_json(value.encode())
            except (DecodeError, UnicodeEncodeError):
                return value
        return value

    def unknown(self, value: Any) -> int:
        value = self._parsed(value)
        return len(value.keys() - self.cls.model_fields.keys() - {"__class__"}) if isinstance(value, dict) else 0

    def named(self, value: Any) -> bool:
        """Tell whether an answer's value names this class as its own."""
        value = self._parsed(value)
        return isinstance(value, dict) and value.get("__class__") == self.cls.__name__

    def dump(self, value: Any, locate: Locate) -> Any:
        return value.to_json(locate)

    def parts(self, value: Any) -> Iterable[tuple[str, Model]]:
        return (("", value),)

    def schema(self) -> dict[str, Any]:
        return self.cls.model_json_schema()


@dataclass(frozen=True, slots=True, kw_only=True)
class Union(Kind):
    """The first alternative that accepts the value."""

    kinds: tuple[Kind, ...]

    def accept(self, value: Any) -> Any:
        return self._first(value)[1]

    def _first(self, value: Any) -> tuple[Kind, Any]:
        refusals = []
        for kind in self.kinds:
            try:
                return kind, kind.set(value)
            except ValidationError as error:
                refusals.append(str(error))
        raise ValidationError("no alternative accepts it: " + "; or ".join(refusals))

    def _kind_of(self, value: Any) -> Kind:
        return self._first(value)[0]

    def read(self, value: Any) -> Any:
        """Read with the class the value names, else with the alternative that leaves the fewest keys unread."""
        named: list[Kind] = [kind for kind in self.kinds if isinstance(kind, Object) and kind.named(value)]
        refusals = []
        for kind in named or sorted(self.kinds, key=lambda kind: kind.unknown(value)):
            try:
                return kind.set(kind.read(value))
            except ValidationError as error:
                refusals.append(str(error))
        raise ValidationError("no alternative can read it: " + "; or ".join(refusals))

    def unknown(self, value: Any) -> int:
        return min(kind.unknown(value) for kind in self.kinds)

    def dump(self, value: Any, locate: Locate) -> Any:
        return self._kind_of(value).dump(value, locate)

    def check(self, value: Any) -> Iterable[Problem]:
        return self._kind_of(value).check(value)

    def parts(self, value: Any) -> Iterable[tuple[str, Model]]:
        return self._kind_of(value).parts(value)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [kind.schema() for kind in self.kinds]}
