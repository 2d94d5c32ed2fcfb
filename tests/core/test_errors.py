from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest

from asyncclient import errors

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.AsyncClientError) and kind.__module__ == errors.__name__
]


def make(kind: type[errors.AsyncClientError]) -> errors.AsyncClientError:
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        if name in ("self", "args", "kwargs"):
            continue
        given[name] = 3 if "limit" in name or "timeout" in name or name in ("status", "size") else f"a {name}"
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise AssertionError(f"{kind.__name__} takes {name} by position only")
    return kind(**given) if given else kind("a message")


def test_the_public_names_are_the_classes() -> None:
    assert sorted(errors.__all__) == sorted(kind.__name__ for kind in CLASSES)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    for kind in CLASSES:
        assert f" {kind.__name__} " in f"{errors.__doc__} ".replace("\n", " "), kind


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_travels_with_its_facts(kind: type[errors.AsyncClientError], protocol: int) -> None:
    error = make(kind)
    error.add_note("a note")
    for back in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
        assert type(back) is kind
        assert str(back) == str(error)
        assert back.args == error.args
        assert back.__dict__ == error.__dict__
        assert back.__notes__ == ["a note"]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_says_what_it_means(kind: type[errors.AsyncClientError]) -> None:
    assert kind.__doc__
    assert str(make(kind))


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ArgumentError, ValueError),
        (errors.ArgumentTypeError, TypeError),
        (errors.DeadlineExceeded, TimeoutError),
        (errors.HubClosed, RuntimeError),
        (errors.WrongLoop, RuntimeError),
        (errors.EmptyRequestError, errors.ArgumentError),
    ],
)
def test_builtin_bases(kind: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(kind, builtin)


def test_what_has_been_sent() -> None:
    for kind in CLASSES:
        if issubclass(kind, errors.TransportError) and kind is not errors.ResponseTooLarge:
            unsent = issubclass(kind, (errors.ConnectError, errors.LocalProtocolError))
            assert kind("x").request_sent is not unsent


def test_an_empty_argument_error_has_no_text() -> None:
    assert str(errors.ArgumentError()) == ""
    assert errors.ArgumentError("x", argument="name").argument == "name"


def test_a_deadline_tells_the_last_error() -> None:
    last = errors.ReadError("broken")
    error = errors.DeadlineExceeded("get_thing", 2.5, attempts=3, last_error=last)
    assert str(error) == "get_thing: not done within 2.5 s after 3 attempts, the last: broken"
    assert str(errors.DeadlineExceeded("get_thing", 2.5)) == "get_thing: not done within 2.5 s"
    back = pickle.loads(pickle.dumps(error))
    assert (back.operation, back.timeout_s, back.attempts, str(back.last_error)) == ("get_thing", 2.5, 3, "broken")


def test_integrity_shows_both_sides() -> None:
    error = errors.IntegrityError("a.bin", expected="1", actual="2", transfer_id="t")
    assert str(error) == "a.bin: expected 1, arrived as 2"
    assert (error.path, error.expected, error.actual, error.transfer_id) == ("a.bin", "1", "2", "t")
