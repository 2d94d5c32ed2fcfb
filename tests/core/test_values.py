from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import pytest

from asyncclient._endpoint import Param
from asyncclient._values import CONVERTERS, check_json_type, plain, text_of
from asyncclient.errors import ArgumentTypeError

PARAM = Param("when", "when", "query", types=("string",))


@pytest.fixture
def oslo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("oslo")
def test_local_times() -> None:
    convert = CONVERTERS["iso-local"]
    assert convert(dt.datetime(2020, 7, 1, 12)) == "2020-07-01T12:00:00+02:00"
    assert convert(dt.datetime(2020, 7, 1, 12, tzinfo=dt.UTC)) == "2020-07-01T12:00:00+00:00"
    west = dt.timezone(dt.timedelta(hours=-8))
    assert convert(dt.datetime(2020, 7, 1, 20, tzinfo=west)) == "2020-07-02T04:00:00+00:00"
    assert convert("as it is") == "as it is"
    assert convert(dt.date(2020, 7, 1)) == dt.date(2020, 7, 1)


def test_iso() -> None:
    convert = CONVERTERS["iso"]
    assert convert(dt.date(2020, 7, 1)) == "2020-07-01"
    assert convert(dt.datetime(2020, 7, 1, 1)) == "2020-07-01T01:00:00"
    assert convert(5) == 5


def test_models_are_left_to_the_encoder() -> None:
    check_json_type("x", PARAM, object())
    with pytest.raises(ArgumentTypeError, match=r"x\(\): when must be string, not int"):
        check_json_type("x", PARAM, 5)


def test_plain() -> None:
    class NotAScalar:
        shape = (1,)

        def item(self) -> int:
            raise AssertionError

    array = NotAScalar()
    assert plain(array) is array
    with pytest.raises(ArgumentTypeError, match="when must be something, not NotAScalar"):
        text_of("x", PARAM, array, "something")
