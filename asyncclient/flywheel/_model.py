"""The base of all models: an object that also acts like a mapping with the names of the wire."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

__all__ = ["Model", "also_named", "by_fit", "by_key", "sends"]


class Model(BaseModel):
    """An object of the service. Unknown members are kept; missing ones are None.

    Members are attributes under their Python names and items under the names of the wire: ``project.id`` is
    ``project["_id"]``.
    """

    # defer_build: a model is compiled when it is first used, not when its module is loaded.
    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
        coerce_numbers_to_str=True,
        defer_build=True,
        protected_namespaces=(),
    )

    # The client that an object came from, and the container that a file came with; see ``objects``.
    __slots__ = ("_fw", "_owner")

    _wire_names: ClassVar[dict[str, str] | None] = None

    @classmethod
    def _names(cls) -> dict[str, str]:
        """Return the Python names by the names of the wire."""
        if cls.__dict__.get("_wire_names") is None:
            cls._wire_names = {field.serialization_alias or name: name for name, field in cls.model_fields.items()}
        found: dict[str, str] = cls.__dict__["_wire_names"]
        return found

    def to_wire(self) -> dict[str, Any]:
        """Return what is sent: members that were set and are not None, with the names of the wire."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)

    def to_dict(self) -> dict[str, Any]:
        """Return all members by their Python names, models within them turned into dicts too."""
        return self.model_dump()

    def to_str(self) -> str:
        """Return :meth:`to_dict` as text."""
        import pprint

        return pprint.pformat(self.to_dict())

    def _wire_items(self) -> dict[str, Any]:
        known = {wire: getattr(self, name) for wire, name in self._names().items()}
        return {**known, **(self.__pydantic_extra__ or {})}

    def keys(self) -> KeysView[str]:
        """Return the names of the wire."""
        return self._wire_items().keys()

    def values(self) -> ValuesView[Any]:
        """Return the members, in the order of :meth:`keys`."""
        return self._wire_items().values()

    def items(self) -> ItemsView[str, Any]:
        """Return the members with the names of the wire."""
        return self._wire_items().items()

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member by its name on the wire; the default only stands for names the model does not have."""
        found: Any = self[name] if name in self else default  # noqa: SIM401  # this is the method it would call
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._names() or name in (self.__pydantic_extra__ or {})

    def __getitem__(self, name: str) -> Any:
        python = self._names().get(name)
        if python is not None:
            return getattr(self, python)
        extra = self.__pydantic_extra__ or {}
        if name not in extra:
            raise AttributeError(f"{type(self).__name__} has no member {name!r}")
        return extra[name]

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, self._names().get(name, name), value)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # pydantic yields pairs; a mapping yields its keys
        return iter(self.keys())


def also_named(name: str) -> Any:
    """Return a member under a second name, with an underscore before it, which no field of a model can have."""

    def write(self: BaseModel, value: Any, /) -> None:
        setattr(self, name, value)

    return property(operator.attrgetter(name), write)


def by_key(keys: tuple[str, ...], known: tuple[str, ...]) -> Callable[[Any], str]:
    """Return the function that tells which member of a union a value is; an unknown one gives empty text."""

    def pick(value: Any) -> str:
        for key in keys:
            found = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
            if isinstance(found, str) and found.lower() in known:
                return found.lower()
        return ""

    return pick


def by_fit(table: Mapping[str, Mapping[str, str]]) -> Callable[[Any], str]:
    """Return the function that tells which class of a union fits the data best; the first one of equals.

    Args:
        table: For each class the members that tell it from the others, and the kinds of JSON they hold: letters as in
            the generator's ``fits``.
    """

    def pick(value: Any) -> str:
        if isinstance(value, Mapping):
            return max(table, key=lambda name: _score(value, table[name]))
        return next((kind.__name__ for kind in type(value).__mro__ if kind.__name__ in table), "")

    return pick


_NAMED = 1000
"""A member that names the class counts more than all others together."""


def _score(value: Mapping[str, Any], members: Mapping[str, str]) -> int:
    score = 0
    for key, kinds in members.items():
        if value.get(key) is not None:
            weight = _NAMED if "=" in kinds else 1
            score += 2 * weight if _agrees(value[key], kinds.lstrip("!")) else -4 * weight
        elif kinds.startswith("!") and key not in value:
            score -= 1
    return score


def _agrees(value: Any, kinds: str) -> bool:
    if kinds.startswith("="):
        return bool(value == kinds[1:])
    if not kinds:
        return True
    if isinstance(value, list):
        return "a" in kinds or ("A" in kinds and all(_letter(item) in kinds for item in value))
    return _letter(value) in re.sub("A.", "", kinds)


def _letter(value: Any) -> str:
    if isinstance(value, str):
        return "s"
    if isinstance(value, bool):
        return "b"
    if isinstance(value, (int, float)):
        return "n"
    return "o"


def sends(*names: str) -> Callable[[BaseModel, Any], None]:
    """Return a ``model_post_init`` that counts members as set although nobody set them: they tell the class."""

    def mark(self: BaseModel, _context: Any, /) -> None:
        self.__pydantic_fields_set__.update(names)

    return mark
