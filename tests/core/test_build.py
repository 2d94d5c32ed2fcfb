from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import enum
import json
import sys
import uuid
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asyncclient import las
from asyncclient._build import build
from asyncclient._endpoint import Endpoint, Param
from asyncclient._messages import Headers, Request
from asyncclient.errors import ArgumentError, ArgumentTypeError, EmptyRequestError
from asyncclient.types import UNSET
from tests.core.support import BASE, DemoClient, Reply, ScriptedTransport, opened

SECRET = "s3cret-value"


class Colour(enum.Enum):
    RED = "red"
    NOTHING = None


class Size(enum.IntEnum):
    BIG = 3


class Word(str, enum.Enum):  # noqa: UP042  # unlike StrEnum, str() of it is not its value
    ONE = "one"


class Text(str):
    __slots__ = ()


class Scalar:
    """A numpy scalar as far as anyone can tell."""

    shape = ()

    def __init__(self, value: Any) -> None:
        self._value = value

    def item(self) -> Any:
        return self._value


def call(
    *params: Param, path: str = "/x", headers: Headers | None = None, method: str = "POST", **arguments: Any
) -> Request:
    options = {
        name: arguments.pop(name) for name in ("body", "empty_body", "extra", "known_extra") if name in arguments
    }
    endpoint: Endpoint[Any] = Endpoint("do_it", method, path, params=params, **options)
    return build(endpoint, arguments, BASE, headers or [])


def target(*params: Param, **arguments: Any) -> str:
    return call(*params, **arguments).target.decode("ascii")


ID = Param("thing_id", "id", "path", required=True, safe=":@")
SLASHES = Param("thing_id", "id", "path", required=True, safe="/")


class TestPath:
    @pytest.mark.parametrize(
        ("value", "quoted"),
        [
            ("plain-1_2.3~", "plain-1_2.3~"),
            ("las:x@y", "las:x@y"),
            ("a/b é", "a%2Fb%20%C3%A9"),
            ("%2F", "%252F"),
            ("%2e%2e", "%252e%252e"),
            ("a/../b", "a%2F..%2Fb"),
            ("a?b#c;d", "a%3Fb%23c%3Bd"),
            ("...", "..."),
            ("\n\r", "%0A%0D"),
            (Text("abc"), "abc"),
            (Colour.RED, "red"),
            (Size.BIG, "3"),
            (Word.ONE, "one"),
            (17, "17"),
            (Scalar(17), "17"),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ],
    )
    def test_quoting(self, value: object, quoted: str) -> None:
        assert target(ID, path="/t/{id}/end", thing_id=value) == f"/v1/t/{quoted}/end"

    @pytest.mark.parametrize(
        "value", ["", ".", "..", "a\0b", None, Colour.NOTHING, "\ud800", Text(".."), pytest.param(10**5000, id="huge")]
    )
    def test_refused_values(self, value: object) -> None:
        with pytest.raises(ArgumentError, match="thing_id") as caught:
            call(ID, path="/{id}", thing_id=value)
        assert caught.value.argument == "thing_id"

    @pytest.mark.parametrize("value", [True, 1.5, b"x", [], {}, object(), dt.date(2020, 1, 1), Scalar(True)])
    def test_refused_types(self, value: object) -> None:
        with pytest.raises(ArgumentTypeError, match="thing_id must be text, not") as caught:
            call(ID, path="/{id}", thing_id=value)
        assert caught.value.argument == "thing_id"

    def test_slashes_where_they_are_allowed(self) -> None:
        assert target(SLASHES, path="/{id}", thing_id="a/b c/%") == "/v1/a/b%20c/%25"
        for value in ("a/../b", "./a", "a/.", ".."):
            with pytest.raises(ArgumentError, match="something else"):
                call(SLASHES, path="/{id}", thing_id=value)

    def test_missing(self) -> None:
        with pytest.raises(ArgumentTypeError, match="needs the argument 'thing_id'") as caught:
            call(ID, path="/{id}", thing_id=UNSET)
        assert caught.value.argument == "thing_id"
        with pytest.raises(ArgumentError, match="UNSET"):
            call(ID._replace(required=False), path="/{id}")

    def test_a_default(self) -> None:
        assert target(ID._replace(required=False, default="me"), path="/{id}") == "/v1/me"

    def test_an_empty_path(self) -> None:
        endpoint: Endpoint[Any] = Endpoint("x", "GET", "")
        assert build(endpoint, {}, BASE._replace(path=""), []).target == b"/"

    @given(st.text(min_size=1), st.sampled_from(["", ":@", "!$&'()*+,;=:@"]))
    def test_any_text_comes_back_and_stays_one_segment(self, value: str, safe: str) -> None:
        assume(value not in (".", "..") and "\0" not in value)
        assume(not any("\ud800" <= char <= "\udfff" for char in value))
        sent = target(ID._replace(safe=safe), path="/a/{id}/b", thing_id=value)
        assert sent.isascii()
        assert not set(sent) & set(' ?#\r\n\t"<>\\^`{|}')
        before, quoted, after = sent.removeprefix("/v1/").split("/")
        assert (before, unquote(quoted), after) == ("a", value, "b")


def query(name: str = "q", *types: str, **options: Any) -> Param:
    return Param(name, options.pop("wire", name), "query", types=types, **options)


class TestQuery:
    @pytest.mark.parametrize(
        ("value", "sent"),
        [
            ("a b&c=é/~", "a+b%26c%3D%C3%A9%2F~"),
            ("", ""),
            ("\0\r\n", "%00%0D%0A"),
            (5, "5"),
            (1.5, "1.5"),
            (True, "True"),  # as the official clients write it
            (Colour.RED, "red"),
            (Word.ONE, "one"),
            (Scalar(2.5), "2.5"),
            (Scalar(3), "3"),
            (decimal.Decimal("1.10"), "1.10"),
            (uuid.UUID(int=2), "00000000-0000-0000-0000-000000000002"),
            (dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC), "2020-01-02T03%3A04%3A05%2B00%3A00"),
            (dt.date(2020, 1, 2), "2020-01-02"),
        ],
    )
    def test_values(self, value: object, sent: str) -> None:
        assert target(query(), q=value) == f"/v1/x?q={sent}"

    def test_lists_repeat_the_key_and_leave_out_none(self) -> None:
        assert target(query(wire="a b"), q=["x", None, 2]) == "/v1/x?a+b=x&a+b=2"
        assert target(query(), q=(str(i) for i in range(2))) == "/v1/x?q=0&q=1"
        assert target(query(), q=[]) == "/v1/x"

    def test_order_defaults_and_absence(self) -> None:
        params = (query("b"), query("a", default="x"), query("c"))
        assert target(*params, c=1, b=2) == "/v1/x?b=2&a=x&c=1"
        assert target(*params, c=None, a=None) == "/v1/x"

    def test_required(self) -> None:
        with pytest.raises(ArgumentError, match="q must not be None"):
            call(query(required=True), q=None)
        with pytest.raises(ArgumentTypeError, match="needs the argument 'q'"):
            call(query(required=True))

    def test_a_converter(self) -> None:
        when = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-1)))
        assert target(query(convert="iso-local"), q=when) == "/v1/x?q=2020-01-01T01%3A00%3A00%2B00%3A00"

    @pytest.mark.parametrize("value", [b"x", {"a": 1}, object(), [[1]], [b"x"], 1j])
    def test_refused_types(self, value: object) -> None:
        with pytest.raises(ArgumentTypeError, match="q must be text, a number") as caught:
            call(query(), q=value)
        assert caught.value.argument == "q"

    @pytest.mark.parametrize(
        "value", ["a\ud800", float("nan"), float("inf"), pytest.param(10**5000, id="huge"), Scalar(float("nan"))]
    )
    def test_refused_values(self, value: object) -> None:
        with pytest.raises(ArgumentError) as caught:
            call(query(), q=value)
        assert caught.value.argument == "q"

    @pytest.mark.parametrize(
        ("types", "value", "good"),
        [
            (("integer",), "5", True),
            (("number",), "1.5e3", True),
            (("integer",), "five", False),
            (("integer",), Text("five"), False),
            (("integer",), Word.ONE, False),
            (("boolean",), "True", True),
            (("boolean",), "", True),
            (("boolean",), "yes", False),
            (("boolean", "integer"), "7", True),
            (("string", "integer"), "five", True),
            (("array",), "five", True),
        ],
    )
    def test_numbers_as_text(self, types: tuple[str, ...], value: str, good: bool) -> None:
        if good:
            assert target(query("q", *types), q=value).startswith("/v1/x?q=")
        else:
            with pytest.raises(ArgumentTypeError, match="q must be"):
                call(query("q", *types), q=value)

    @given(
        st.lists(
            st.tuples(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"))),
            unique_by=lambda pair: pair[0],
        )
    )
    def test_any_text_comes_back(self, pairs: list[tuple[str, str]]) -> None:
        params = [Param(f"p{i}", name, "query") for i, (name, _) in enumerate(pairs)]
        sent = target(*params, **{f"p{i}": value for i, (_, value) in enumerate(pairs)})
        path, _, text = sent.partition("?")
        assert path == "/v1/x"
        assert parse_qsl(text, keep_blank_values=True, max_num_fields=None) == pairs
        assert not set(sent) & set(' #\r\n\t"<>')


class TestHeaders:
    PARAM = Param("mark", "X-Mark", "header")

    @pytest.mark.parametrize(
        ("value", "sent"),
        [
            ("é", "é".encode()),
            (["a", Colour.RED, 3], b"a,red,3"),
            (Word.ONE, b"one"),
            (Colour.RED, b"red"),
            (True, b"True"),
            (5, b"5"),
            ("", b""),
        ],
    )
    def test_values(self, value: object, sent: bytes) -> None:
        given_headers: Headers = [(b"accept", b"*/*")]
        request = call(self.PARAM, headers=given_headers, mark=value)
        assert request.headers == [(b"accept", b"*/*"), (b"x-mark", sent)]
        assert given_headers == [(b"accept", b"*/*")]

    def test_in_place_of_the_same_name(self) -> None:
        request = call(self.PARAM, headers=[(b"x-mark", b"old"), (b"a", b"b")], mark="new")
        assert request.headers == [(b"a", b"b"), (b"x-mark", b"new")]

    def test_absent(self) -> None:
        shared: Headers = [(b"a", b"b")]
        assert call(self.PARAM, headers=shared).headers is shared
        assert call(self.PARAM, headers=shared, mark=None).headers is shared
        assert call(self.PARAM._replace(default="d")).headers == [(b"x-mark", b"d")]

    def test_required(self) -> None:
        with pytest.raises(ArgumentError, match="mark must not be None"):
            call(self.PARAM._replace(required=True), mark=None)

    @pytest.mark.parametrize("code", [*range(32), 127])
    def test_control_characters(self, code: int) -> None:
        with pytest.raises(ArgumentError, match="mark must not hold control characters") as caught:
            call(self.PARAM, mark=f"{SECRET}{chr(code)}x: y")
        assert caught.value.argument == "mark"
        assert SECRET not in repr(caught.value)

    def test_surrogates(self) -> None:
        with pytest.raises(ArgumentError, match="mark is not valid Unicode") as caught:
            call(self.PARAM, mark=f"{SECRET}\udc80")
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("value", [b"x", {"a": 1}, object(), [b"x"]])
    def test_types(self, value: object) -> None:
        with pytest.raises(ArgumentTypeError, match="mark must be"):
            call(self.PARAM, mark=value)


def body(name: str, wire: str | None = None, **options: Any) -> Param:
    return Param(name, wire or name, "body", **options)


def sent(*params: Param, **arguments: Any) -> Any:
    payload = call(*params, **{"body": "object", **arguments}).body
    assert payload is None or isinstance(payload, bytes)
    return None if payload is None else json.loads(payload)


class TestBody:
    def test_names_order_and_nesting(self) -> None:
        params = (body("a_b", "aB"), body("deep", "x/y/z"), body("near", "x/w"), body("last"))
        payload = call(*params, body="object", last=1, deep=[2], near=None, a_b="é").body
        assert payload == '{"aB":"é","x":{"y":{"z":[2]}},"last":1}'.encode()

    @pytest.mark.parametrize(
        ("options", "value", "expected"),
        [
            ({"none": "omit"}, None, {}),
            ({"none": "null"}, None, {"p": None}),
            ({"none": "empty-list"}, None, {"p": []}),
            ({}, UNSET, {}),
            ({"default": 5}, UNSET, {"p": 5}),
            ({"default": 5}, 0, {"p": 0}),
            ({"falsy": "omit"}, "", {}),
            ({"falsy": "empty-list"}, 0, {"p": []}),
            ({"falsy": "send"}, False, {"p": False}),
            ({"convert": "iso"}, dt.date(2020, 1, 2), {"p": "2020-01-02"}),
            ({"types": ("integer",)}, 5.0, {"p": 5.0}),
            ({"types": ("number",)}, 5, {"p": 5}),
            ({"types": ("array",)}, (1, 2), {"p": [1, 2]}),
            ({"types": ("string",)}, Word.ONE, {"p": "one"}),
        ],
    )
    def test_values(self, options: dict[str, Any], value: object, expected: object) -> None:
        assert sent(body("p", **options), p=value) == expected

    @pytest.mark.parametrize(
        ("types", "value"),
        [
            (("string",), 5),
            (("integer",), "5"),
            (("integer",), True),
            (("integer",), 1.5),
            (("integer",), float("inf")),
            (("boolean",), 1),
            (("object",), []),
            (("array",), "text"),
            (("array",), {}),
        ],
    )
    def test_wrong_types(self, types: tuple[str, ...], value: object) -> None:
        with pytest.raises(ArgumentTypeError, match=rf"do_it\(\): p must be {types[0]}, not {type(value).__name__}"):
            sent(body("p", types=types), p=value)

    def test_none_that_is_no_value(self) -> None:
        for options in ({"required": True}, {"none": "error"}):
            with pytest.raises(ArgumentTypeError, match="p must not be None") as caught:
                sent(body("p", **options), p=None)
            assert caught.value.argument == "p"

    def test_nothing_to_send(self) -> None:
        assert sent(body("p")) == {}
        assert sent(body("p"), empty_body="omit") is None
        with pytest.raises(EmptyRequestError, match="nothing to change"):
            sent(body("p"), empty_body="error")

    def test_one_argument_as_the_whole_body(self) -> None:
        assert sent(body("p"), body="whole", p=[1]) == [1]
        assert call(body("p"), body="whole").body is None
        assert call(body("p", none="null"), body="whole", p=None).body == b"null"

    def test_another_body_in_its_place(self) -> None:
        endpoint: Endpoint[Any] = Endpoint("x", "PUT", "/", params=(body("p"),), body="object", empty_body="error")
        assert build(endpoint, {}, BASE, [], body=b"raw").body == b"raw"
        assert build(endpoint, {}, BASE, [], body=b"raw").idempotent

    @pytest.mark.parametrize("value", [float("nan"), 2**64, "\ud800", object(), {1: 2}, b"x", {"a": {float("inf")}}])
    def test_what_json_cannot_hold_is_blamed_on_its_argument(self, value: object) -> None:
        good = {"first": "x", "when": dt.datetime(2020, 1, 1), "secret": SECRET}
        params = (body("first"), body("when", convert="iso"), body("secret"), body("bad", "deep/bad"))
        with pytest.raises((ArgumentError, ArgumentTypeError), match=r"do_it\(\): bad: ") as caught:
            sent(*params, bad=value, **good)
        assert vars(caught.value)["argument"] == "bad"
        assert SECRET not in str(caught.value)
        with pytest.raises((ArgumentError, ArgumentTypeError), match=r"do_it\(\): other: ") as caught:
            sent(*params, extra=True, known_extra=("other",), other=value, **good)
        assert vars(caught.value)["argument"] == "other"
        with pytest.raises((ArgumentError, ArgumentTypeError), match=r"do_it\(\): p: ") as caught:
            sent(body("p"), body="whole", p=value)
        assert vars(caught.value)["argument"] == "p"

    def test_what_only_the_whole_is_to_blame_for(self) -> None:
        deep: list[Any] = []
        for _ in range(253):
            deep = [deep]
        assert sent(body("p"), body="whole", p=deep) == deep
        with pytest.raises(ArgumentError, match=r"do_it\(\): cannot be sent as JSON") as caught:
            sent(body("p"), p=deep)
        assert caught.value.argument is None

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**64 - 1)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters(codec="utf-8")),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
            max_leaves=10,
        )
    )
    def test_any_json_comes_back(self, value: Any) -> None:
        assert sent(body("p", none="null"), p=value) == {"p": value}


class TestOpenKeywords:
    def test_known_ones_go_under_their_own_name(self) -> None:
        assert sent(body("a_b", "aB"), extra=True, known_extra=("new",), a_b=1, new=2, aB=3, off=UNSET) == {
            "aB": 3,
            "new": 2,
        }

    @pytest.mark.parametrize(("name", "near"), [("colr", "colour"), ("a_bb", "a_b"), ("zzzzzz", None)])
    def test_others_are_sent_with_a_warning(self, name: str, near: str | None) -> None:
        with pytest.warns(UserWarning, match=f"does not know the keyword {name!r}") as caught:
            assert sent(body("a_b", "aB"), extra=True, known_extra=("colour",), **{name: SECRET}) == {name: SECRET}
        text = str(caught[0].message)
        assert SECRET not in text
        assert ("did you mean" in text) is (near is not None)
        assert near is None or repr(near) in text

    def test_not_where_they_are_not_open(self) -> None:
        assert sent(body("a"), a=1, other=2) == {"a": 1}

    @pytest.mark.anyio
    async def test_the_warning_names_the_line_that_calls(self) -> None:
        async with opened(ScriptedTransport()) as hub:
            client = DemoClient(hub)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                await client.create_thing("x", colr="red")
        # The demo client is not part of the package: its line is the first one outside of it.
        assert [warning.filename for warning in caught] == [sys.modules["tests.core.support"].__file__]

    @pytest.mark.anyio
    async def test_the_warning_names_the_line_of_the_user(self) -> None:
        def answer(request: Request) -> Reply:
            return Reply(body=b'{"access_token": "t", "expires_in": 3600}' if b"/token" in request.target else b"{}")

        credentials = las.Credentials("id", "secret", "https://auth.test", "https://api.test/v1")
        async with opened(ScriptedTransport(answer)) as hub:
            client = las.AsyncClient(credentials, hub=hub)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                line = sys._getframe().f_lineno + 1
                await client.create_dataset(zzz=1)
        assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, line)]

    @pytest.mark.anyio
    async def test_a_bare_task_names_the_method(self) -> None:
        from asyncclient import _service
        from tests.core.support import CREATE_THING

        async with opened(ScriptedTransport()) as hub:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                await asyncio.create_task(DemoClient(hub)._call(CREATE_THING, {"name": "x", "colr": 1}))
        assert [warning.filename for warning in caught] == [_service.__file__]


def test_errors_name_the_argument_and_never_the_value() -> None:
    refusals: list[Callable[[], Any]] = [
        lambda: call(ID, path="/{id}", thing_id=f"{SECRET}\0"),
        lambda: call(ID, path="/{id}", thing_id=f"{SECRET}\ud800"),
        lambda: call(ID, path="/{id}", thing_id=SECRET.encode()),
        lambda: call(query(), q=f"{SECRET}\ud800"),
        lambda: call(query(), q={SECRET: SECRET}),
        lambda: call(query("q", "integer"), q=SECRET),
        lambda: call(body("q", types=("integer",)), body="object", q=SECRET),
        lambda: call(body("q"), body="object", q={"a": [f"{SECRET}\ud800"]}),
        lambda: call(body("q"), body="object", q={SECRET: float("nan")}),
    ]
    for refusal in refusals:
        with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
            refusal()
        assert vars(caught.value)["argument"] in ("thing_id", "q")
        assert str(vars(caught.value)["argument"]) in str(caught.value)
        assert SECRET not in f"{caught.value!r}{caught.value.__dict__}{caught.value.__cause__!r}"
