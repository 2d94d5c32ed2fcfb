from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import gzip
import json
import math
import types
import uuid
import zlib
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from asyncclient import _codec
from asyncclient._endpoint import ModelRef
from asyncclient.errors import ArgumentError, ArgumentTypeError, DecodeError, ResponseTooLarge

SECRET = "s3cret"


class Text(str):
    __slots__ = ()


class Word(str, enum.Enum):  # noqa: UP042  # unlike StrEnum, str() of it is not its value
    ONE = "one"


class Number(enum.Enum):
    NAN = math.nan
    TWO = 2


class Real(float):
    pass


class Pair(NamedTuple):
    a: int
    b: float


class Scalar:
    shape = ()

    def __init__(self, value: Any) -> None:
        self._value = value

    def item(self) -> Any:
        return self._value


class Thing(BaseModel):
    thing_id: int = Field(alias="thingId")
    name: str | None = None
    size: float = 0


@dataclasses.dataclass
class Data:
    a: int = 1


class TestEncode:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ({"é": "ü"}, '{"é":"ü"}'),
            (Text("a"), '"a"'),
            (type("I", (int,), {})(3), "3"),
            (Real(1.5), "1.5"),
            (True, "true"),
            ({Text("a"): {Word.ONE: [{Text("b"): 1}, (2,)]}}, '{"a":{"one":[{"b":1},[2]]}}'),
            (Word.ONE, '"one"'),
            (Number.TWO, "2"),
            (Pair(1, 2.5), "[1,2.5]"),
            ((1, 2), "[1,2]"),
            ({3, 1, 2}, "[1,2,3]"),
            (frozenset("ba"), '["a","b"]'),
            (types.MappingProxyType({"a": 1}), '{"a":1}'),
            (Scalar(3), "3"),
            (Scalar(2.5), "2.5"),
            (Scalar(True), "true"),
            (Thing(thingId=5), '{"thingId":5}'),
            (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
            ([None, uuid.UUID(int=1), object, 1][0:2], '[null,"00000000-0000-0000-0000-000000000001"]'),
            (2**64 - 1, "18446744073709551615"),
            (-(2**63), "-9223372036854775808"),
        ],
    )
    def test_values(self, value: object, text: str) -> None:
        assert _codec.encode(value).decode() == text

    @pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
    @pytest.mark.parametrize(
        "wrap",
        [
            lambda x: x,
            lambda x: [None, x],
            lambda x: {"a": ({"b": x},)},
            lambda x: {x},
            lambda x: Pair(1, x),
            lambda x: Real(x),
            lambda x: Scalar(x),
            lambda x: types.MappingProxyType({"a": Scalar(x)}),
            lambda x: Thing(thingId=1, size=x),
            lambda x: [Number.NAN],
        ],
    )
    def test_no_null_that_nobody_wrote(self, wrap: Any, number: float) -> None:
        with pytest.raises(ArgumentError, match=r"do_it\(\): NaN and infinities") as caught:
            _codec.encode(wrap(number), operation="do_it")
        assert caught.value.argument is None

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (2**64, "64-bit"),
            (-(2**63) - 1, "64-bit"),
            (f"{SECRET}\ud800", "surrogates"),
            ({f"{SECRET}\ud800": 1}, "surrogates"),
        ],
    )
    def test_values_json_cannot_hold(self, value: object, words: str) -> None:
        with pytest.raises(ArgumentError, match=words) as caught:
            _codec.encode(value, operation="do_it", argument="name")
        assert str(caught.value).startswith("do_it(): name: ")
        assert caught.value.argument == "name"
        assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ({1: SECRET}, "keys of JSON objects must be text"),
            ({None: SECRET}, "keys of JSON objects must be text"),
            ({Text("a"): {b"b": SECRET}}, "keys of JSON objects must be text"),
            ({"a": {Number.TWO: SECRET}}, "keys of JSON objects must be text"),
            (SECRET.encode(), "a value of type bytes cannot"),
            (bytearray(SECRET.encode()), "a value of type bytearray cannot"),
            (dt.datetime(2020, 1, 1), "a value of type datetime.datetime cannot"),
            (dt.date(2020, 1, 1), "a value of type datetime.date cannot"),
            (Data(), "a value of type Data cannot"),
            (object(), "a value of type object cannot"),
            ({1, "a"}, "a value of type set cannot"),
            (1j, "a value of type complex cannot"),
        ],
    )
    def test_types_json_cannot_hold(self, value: object, words: str) -> None:
        with pytest.raises(ArgumentTypeError, match=words) as caught:
            _codec.encode({"deep": [value]}, operation="do_it")
        assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"

    def test_circles(self) -> None:
        circle: list[Any] = []
        circle.append(circle)
        with pytest.raises((ArgumentError, ArgumentTypeError)):
            _codec.encode(circle)
        around: dict[Any, Any] = {Text("a"): 1}
        around[Text("b")] = around
        with pytest.raises(ArgumentError, match="recursion"):
            _codec.encode(around)

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**64 - 1)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters(codec="utf-8")),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.text(st.characters(codec="utf-8")), inner)
                | st.dictionaries(st.text(st.characters(codec="utf-8")).map(Text), inner)
            ),
            max_leaves=15,
        )
    )
    def test_round_trip(self, value: Any) -> None:
        text = _codec.encode(value)
        assert json.loads(text) == value
        assert _codec.decode_json(text) == value


class TestDecode:
    def test_good(self) -> None:
        assert _codec.decode_json(b' {"a": [1, 2.5, null, "\\u00e9"]} ') == {"a": [1, 2.5, None, "é"]}

    @pytest.mark.parametrize(
        ("body", "value"),
        [
            (b"[Infinity, -Infinity]", [math.inf, -math.inf]),
            (b'"\\ud800"', "\ud800"),
            (b"\xef\xbb\xbf{}", {}),
            ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        ],
    )
    def test_what_services_in_python_send(self, body: bytes, value: object) -> None:
        assert _codec.decode_json(body) == value

    def test_not_a_number(self) -> None:
        assert math.isnan(_codec.decode_json(b"NaN"))

    @pytest.mark.parametrize(
        "body", [b"{", b"<html>s3cret</html>", b"{'a': 1}", b"\xff\xfe\xfd", b"[" * 5000, b"\0", b'{"s3cret": 01}']
    )
    def test_not_json(self, body: bytes) -> None:
        headers = [(b"server", b"x"), (b"content-type", b"text/html")]
        with pytest.raises(DecodeError, match=rf"answered 200 with {len(body)} bytes that are not JSON") as caught:
            _codec.decode_json(body, status=200, headers=headers)
        assert (caught.value.status, caught.value.content_type, caught.value.size) == (200, "text/html", len(body))
        assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"

    def test_empty(self) -> None:
        with pytest.raises(DecodeError, match="answered 200 with an empty body, content type None"):
            _codec.decode_json(b"", status=200)

    @given(st.binary(max_size=30))
    def test_any_bytes_decode_or_are_refused(self, body: bytes) -> None:
        try:
            _codec.decode_json(body)
        except DecodeError:
            pass


class TestModels:
    REF = ModelRef(__name__, "Thing")

    @pytest.fixture(autouse=True)
    def _importable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import sys

        monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or types.ModuleType(__name__))
        monkeypatch.setattr(sys.modules[__name__], "Thing", Thing, raising=False)

    def test_one_list_dict(self) -> None:
        raw = {"thingId": 5, "name": "x"}
        assert _codec.parse(raw, self.REF).thing_id == 5
        assert _codec.parse([raw], self.REF._replace(many="list"))[0].name == "x"
        assert _codec.parse({"k": raw}, self.REF._replace(many="dict"))["k"].thing_id == 5
        assert _codec.load_model(self.REF) is _codec.load_model(ModelRef(__name__, "Thing"))

    def test_what_differs_is_named_without_the_data(self) -> None:
        raw = [{"thingId": SECRET, "name": [SECRET]}, {"thingId": SECRET}, {"size": SECRET}]
        with pytest.raises(DecodeError) as caught:
            _codec.parse(raw, self.REF._replace(many="list"))
        text = str(caught.value)
        assert text.startswith("the answer does not fit Thing: 0.thingId (int_parsing), 0.name (string_type), ")
        assert text.endswith(" and 2 more")
        assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"
        with pytest.raises(DecodeError, match=r"Thing: the whole \(model_type\)$"):
            _codec.parse(SECRET, self.REF)

    def test_a_validator_of_another_kind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(value: object) -> None:
            raise ValueError(SECRET)

        monkeypatch.setattr(_codec, "load_model", lambda ref: refuse)
        with pytest.raises(DecodeError, match="does not fit Thing: ValueError"):
            _codec.parse({}, self.REF)


def raw_deflate(body: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(body) + engine.flush()


class TestDecompress:
    @pytest.mark.parametrize("size", [0, 1, 1000, 100_000])
    def test_every_encoding(self, size: int) -> None:
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        for packed, name in [
            (gzip.compress(body), b"gzip"),
            (gzip.compress(body), b" X-GZIP "),
            (zlib.compress(body), b"deflate"),
            (raw_deflate(body), b"deflate"),
            (body, b"identity"),
            (body, b""),
            (gzip.compress(zlib.compress(body)), b"deflate, gzip"),
        ]:
            assert _codec.decompress(packed, name, size + 20) == body  # a stack of two is larger on the way

    def test_members_and_padding(self) -> None:
        packed = gzip.compress(b"a" * 3000) + gzip.compress(b"") + b"\0" * 10 + gzip.compress(b"b") + b"\0"
        assert _codec.decompress(packed, b"gzip", 4000) == b"a" * 3000 + b"b"

    def test_many_members_cost_no_more_than_their_size(self) -> None:
        fed = 0
        real = zlib.decompressobj

        class Counting:
            def __init__(self, bits: int) -> None:
                self._engine = real(bits)

            def __getattr__(self, name: str) -> Any:
                return getattr(self._engine, name)

            def decompress(self, data: bytes, most: int) -> bytes:
                nonlocal fed
                fed += len(data)
                return self._engine.decompress(data, most)

        packed = gzip.compress(b"x") * 20_000
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(zlib, "decompressobj", Counting)
            assert _codec.decompress(packed, b"gzip", 20_000) == b"x" * 20_000
        assert fed <= 20_000 * 1024

    @pytest.mark.parametrize("count", [1, 3])
    def test_a_bomb(self, count: int) -> None:
        bomb = gzip.compress(b"\0" * 1_000_000) * count
        with pytest.raises(ResponseTooLarge) as caught:
            _codec.decompress(bomb, b"gzip", 1_000_000 * count - 1)
        assert caught.value.limit == 1_000_000 * count - 1
        assert len(_codec.decompress(bomb, b"gzip", 1_000_000 * count)) == 1_000_000 * count

    @pytest.mark.parametrize("cut", [1, 5, 9, 12, 15])
    def test_cut_off(self, cut: int) -> None:
        with pytest.raises(DecodeError, match=r"cut off|corrupt"):
            _codec.decompress(gzip.compress(b"some text")[:-cut], b"gzip", 100)

    def test_corrupt(self) -> None:
        with pytest.raises(DecodeError, match="corrupt"):
            _codec.decompress(b"not gzip at all", b"gzip", 100)
        with pytest.raises(DecodeError, match="corrupt"):
            _codec.decompress(gzip.compress(b"x") + b"junk", b"gzip", 100)

    def test_unknown_and_too_many(self) -> None:
        with pytest.raises(DecodeError, match="unknown content encoding b'br'"):
            _codec.decompress(b"x", b"br", 100)
        with pytest.raises(DecodeError, match="6 content encodings"):
            _codec.decompress(b"x", b",".join([b"gzip"] * 6), 100)

    @settings(max_examples=200)
    @given(st.binary(max_size=200), st.integers(0, 300), st.sampled_from([b"gzip", b"deflate"]), st.booleans())
    def test_any_bytes(self, data: bytes, limit: int, name: bytes, packed: bool) -> None:
        body = (gzip.compress(data) if name == b"gzip" else zlib.compress(data)) if packed else data
        try:
            found = _codec.decompress(body, name, limit)
        except ResponseTooLarge:
            assert not packed or len(data) > limit
        except DecodeError:
            assert not packed
        else:
            assert len(found) <= limit
            assert not packed or found == data
