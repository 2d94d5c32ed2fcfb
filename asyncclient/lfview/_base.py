"""The base of all resource classes: construction, assignment, validation, JSON."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from pydantic import ValidationError as PydanticError

from asyncclient.lfview._kinds import Kind, Locate, shown
from asyncclient.lfview.exceptions import NotUploaded, Problem, UnknownProperty, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Model", "Resource", "Rule", "Values", "default", "kinds_of", "url_of"]

Rule: TypeAlias = "Callable[[Any], Iterable[Problem]]"
"""Looks at several properties of an object and yields what does not fit together."""
Values: TypeAlias = "dict[str, Any]"
"""The keyword arguments of an object, in its place."""


def default(value: Any) -> Any:
    """Declare a default that is accepted like a value of the user, anew for every object."""
    return Field(value, validate_default=True)


@cache
def kinds_of(cls: type[Model]) -> Mapping[str, Kind]:
    """Return the properties of a class with their kinds, in the order of the description."""
    return {
        name: next(entry for entry in info.metadata if isinstance(entry, Kind))
        for name, info in cls.model_fields.items()
    }


class Model(BaseModel):
    """A bag of typed properties.

    A property that is unset reads as None. Assigning None, or ``del``, unsets it. Constructor and assignment check the
    value alone; :meth:`validate` checks how values fit together. An unknown name is an error in both.

    Objects are equal only to themselves, as a resource is one thing however often it is pointed to.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    RULES: ClassVar[tuple[Rule, ...]] = ()
    """What ``validate()`` checks beyond single properties."""

    def __init__(self, **values: Any) -> None:
        cls = type(self)
        for name in values:
            if name not in cls.model_fields:
                raise _unknown(cls, name)
        try:
            super().__init__(**values)
        except PydanticError as error:
            raise ValidationError(_problems(error), owner=cls.__name__) from None
        for name in values:
            try:
                self._check_set(name, self.__dict__[name])
            except ValidationError as error:
                raise ValidationError([found.under(name) for found in error.problems], owner=cls.__name__) from None

    def __setattr__(self, name: str, value: Any) -> None:
        cls = type(self)
        kind = kinds_of(cls).get(name)
        if kind is not None:
            try:
                kept = kind.set(value)
                self._check_set(name, kept)
            except ValidationError as error:
                raise ValidationError([found.under(name) for found in error.problems], owner=cls.__name__) from None
            vars(self)[name] = kept
            self.__pydantic_fields_set__.add(name)
        elif name.startswith("_") or isinstance(getattr(cls, name, None), property):
            super().__setattr__(name, value)
        else:
            raise _unknown(cls, name)

    def __delattr__(self, name: str) -> None:
        if name in type(self).model_fields:
            vars(self)[name] = None
        else:
            super().__delattr__(name)

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name in type(self).model_fields:
            value = self.__dict__.get(name)
            if value is not None:
                yield name, _Brief(value)

    def _check_set(self, name: str, value: Any) -> None:
        """Refuse a value that does not fit to what is set already. None by default."""

    def _own_problems(self) -> Iterable[Problem]:
        """Yield what ``validate()`` finds beside properties and rules. Nothing by default."""
        return ()

    def validate(self) -> Literal[True]:  # type: ignore[override]  # the official name; pydantic's own is deprecated
        """Check everything, here and in every object that belongs to it or is pointed to; URLs are not followed.

        Lists that were changed in place are converted as on assignment.

        Returns:
            True.

        Raises:
            ValidationError: With every problem found.
        """
        problems = list(_check(self, set()))
        if problems:
            raise ValidationError(problems, owner=type(self).__name__)
        return True

    def to_json(self, locate: Locate = lambda child: url_of(child)) -> dict[str, Any]:
        """Return the JSON form of every property that is set; what is unset is left out.

        Args:
            locate: Gives what stands for a resource that is pointed to as an object. Default: its URL.

        Raises:
            NotUploaded: It points to an object without URL.
        """
        return {
            name: kind.dump(value, locate)
            for name, kind in kinds_of(type(self)).items()
            if (value := self.__dict__[name]) is not None
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Build an object from its JSON form.

        Keys that are no properties are ignored, as a service may add some. Null is unset, or the default where
        ``validate()`` would miss the property.

        Raises:
            ValidationError: A value is not as the property needs it.
        """
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, kind in kinds_of(cls).items():
            if name in data and (data[name] is not None or not kind.required):
                try:
                    values[name] = kind.read(data[name])
                except ValidationError as error:
                    problems += [found.under(name) for found in error.problems]
        if problems:
            raise ValidationError(problems, owner=cls.__name__)
        return cls(**values)


class Resource(Model):
    """What has a type and a URL of its own."""

    BASE_TYPE: ClassVar[str]
    SUB_TYPE: ClassVar[str | None] = None
    POINTER_PATTERN: ClassVar[str]

    _links: dict[str, str] | None = PrivateAttr(None)
    _touched: bool = PrivateAttr(False)
    _sent: bytes | None = PrivateAttr(None)

    @property
    def links(self) -> Mapping[str, str] | None:
        """The URLs that the service gave the resource, by name; None before the first upload."""
        return self._links

    @property
    def url(self) -> str | None:
        """The URL of the resource itself; None before the first upload."""
        return (self._links or {}).get("self")

    def to_json(self, locate: Locate = lambda child: url_of(child)) -> dict[str, Any]:
        """Return the body that is sent for the resource; ``uid`` is the service's to give."""
        return {name: value for name, value in super().to_json(locate).items() if name != "uid"}

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Build an object of what a pointer property was given in its place.

        Raises:
            ValidationError: It is nothing to build one of.
        """
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return cls(**value)
        raise ValidationError(f"expected {cls.__name__}, its URL or a dictionary of its arguments, got {shown(value)}")


def url_of(resource: Resource | str) -> str:
    """Return the URL of a resource; text is taken for one.

    Raises:
        NotUploaded: The object has none yet.
    """
    if isinstance(resource, str):
        return resource
    if resource.url is None:
        raise NotUploaded(f"{type(resource).__name__} has no URL yet: upload it first")
    return resource.url


def _check(model: Model, seen: set[int]) -> Iterator[Problem]:
    if id(model) in seen:
        return
    seen.add(id(model))
    refused: set[str] = set()
    for name, kind in kinds_of(type(model)).items():
        try:
            found = _check_property(model, name, kind)
        except ValidationError as error:
            refused.add(name)
            found = error.problems
        yield from (problem.under(name) for problem in found)
    if not refused:  # rules take for granted that single values are right
        for rule in type(model).RULES:
            yield from rule(model)
        yield from model._own_problems()
    for name, kind in kinds_of(type(model)).items():
        if (value := model.__dict__[name]) is not None and name not in refused:
            for path, part in kind.parts(value):
                yield from (found.under(name + path) for found in _check(part, seen))


def _check_property(model: Model, name: str, kind: Kind) -> Iterable[Problem]:
    value = model.__dict__[name]
    if value is None:
        return (Problem("", "is required"),) if kind.required else ()
    kept = kind.set(value)
    model._check_set(name, kept)
    if isinstance(value, list) and isinstance(kept, list):
        value[:] = kept  # the caller's list stays the caller's list
    else:
        vars(model)[name] = kept
    return kind.check(kept)


_NEAR: Final = 0.5


def _unknown(cls: type[Model], name: str) -> UnknownProperty:
    near = difflib.get_close_matches(name, cls.model_fields, n=1, cutoff=_NEAR)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(cls.model_fields)}"
    return UnknownProperty([Problem(name, f"no such property; {hint}")], owner=cls.__name__)


def _problems(error: PydanticError) -> Iterator[Problem]:
    for entry in error.errors(include_url=False, include_input=False):
        cause = entry.get("ctx", {}).get("error")
        found = cause.problems if isinstance(cause, ValidationError) else (Problem("", entry["msg"]),)
        yield from (problem.under(".".join(map(str, entry["loc"]))) for problem in found)


class _Brief:
    """A value in a ``repr``: whole objects and long lists would bury the rest."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        if isinstance(self._value, Resource):
            return f"<{type(self._value).__name__}>"
        if isinstance(self._value, list) and any(isinstance(item, Model) for item in self._value):
            return f"[{', '.join(f'<{type(item).__name__}>' for item in self._value)}]"
        return shown(self._value)
