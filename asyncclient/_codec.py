"""JSON out and in, content encodings undone, models loaded on first use. The only importer of orjson. Pure."""

from __future__ import annotations

import contextlib
import enum
import functools
import importlib
import math
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asyncclient.errors import ArgumentError, ArgumentTypeError, DecodeError, ResponseTooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    import orjson

    from asyncclient._endpoint import ModelRef

__all__ = ["decode_json", "decompress", "encode", "load_model", "parse"]

_KEY_REFUSAL = "Dict key must be str"  # orjson's words
_MAX_ENCODINGS = 5  # chained decoders beyond this are an attack, not a service (limit as in httpcore2)


def encode(value: Any, *, operation: str = "request", argument: str | None = None) -> bytes:
    """Write a value as compact UTF-8 JSON.

    Args:
        value: Anything JSON can hold, models, sets and numpy scalars too.
        operation: Named in errors.
        argument: Named in errors, if it is known which one holds the value.

    Raises:
        ArgumentError: NaN or an infinity, which JSON has no word for; an integer beyond 64 bits; text that is not
            valid Unicode.
        ArgumentTypeError: A value JSON cannot hold, or a key that is not text.
    """
    try:
        text = _dumps(value)
    except (TypeError, RecursionError) as error:
        raise _refusal(error, operation, argument) from None
    # orjson writes NaN and infinities as null without a word; a null that nobody wrote would be a silent lie.
    if b"null" in text and _has_non_finite(value):
        raise ArgumentError(
            f"{_place(operation, argument)} NaN and infinities cannot be sent as JSON", argument=argument
        )
    return text


def _dumps(value: Any) -> bytes:
    import orjson  # in here: it loads datetime, uuid and zoneinfo, and not every call has JSON

    strict = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
    try:
        return orjson.dumps(value, _default, strict)
    except TypeError as error:
        if _KEY_REFUSAL not in str(error):
            raise
    return orjson.dumps(_with_plain_keys(value), _default, strict)


def _default(value: Any) -> Any:
    to_wire = getattr(value, "to_wire", None)
    if to_wire is not None:  # models that say by themselves what is sent
        return to_wire()
    dump = getattr(value, "model_dump", None)
    if dump is not None:  # pydantic models, without importing pydantic
        return dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, float):  # orjson takes subclasses of int, but not of float
        return float(value)
    if isinstance(value, tuple):
        return list(value)
    item = getattr(value, "item", None)
    if item is not None and getattr(value, "shape", None) == ():  # numpy scalars
        return item()
    raise TypeError


def _place(operation: str, argument: str | None) -> str:
    return f"{operation}():" if argument is None else f"{operation}(): {argument}:"


def _refusal(
    error: TypeError | RecursionError, operation: str, argument: str | None
) -> ArgumentError | ArgumentTypeError:
    place, reason = _place(operation, argument), str(error)
    if "Type is not JSON serializable" in reason:
        kind = reason.rpartition(": ")[2]
        return ArgumentTypeError(f"{place} a value of type {kind} cannot be sent as JSON", argument=argument)
    if _KEY_REFUSAL in reason:
        return ArgumentTypeError(f"{place} keys of JSON objects must be text", argument=argument)
    return ArgumentError(f"{place} cannot be sent as JSON: {reason}", argument=argument)


def _has_non_finite(value: Any) -> bool:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, float):
            if not math.isfinite(item):
                return True
        elif item is None or isinstance(item, (str, int)):  # most of all values; what follows asks abstract classes
            continue
        elif isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, (list, tuple, set, frozenset)):
            stack.extend(item)
        elif isinstance(item, enum.Enum):
            stack.append(item.value)
        else:
            with contextlib.suppress(TypeError):  # what orjson knows by itself, such as UUID, is never a float
                stack.append(_default(item))
    return False


def _with_plain_keys(value: Any) -> Any:
    """Copy a value with keys of exactly ``str``: orjson refuses subclasses, members of a ``StrEnum`` among them."""
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(_KEY_REFUSAL)
        return {str.__str__(key): _with_plain_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_plain_keys(item) for item in value]
    return value


def decode_json(body: bytes, *, status: int | None = None, headers: Sequence[tuple[bytes, bytes]] = ()) -> Any:
    """Read JSON.

    What orjson refuses and Python's own parser takes is taken: NaN and infinities, lone surrogates, a byte order
    mark, UTF-16. Services written in Python send these, and their official clients read them.

    Args:
        body: Content encoding undone.
        status: Of the answer, for the error.
        headers: Of the answer, for the error.

    Raises:
        DecodeError: It is empty, cut off or not JSON. The body itself is not repeated: it may hold anything.
    """
    import orjson

    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        with contextlib.suppress(ValueError, RecursionError):
            return _lenient(body)
        content_type = next((value.decode("latin-1") for name, value in headers if name == b"content-type"), None)
        what = "an empty body" if not body else f"{len(body)} bytes that are not JSON ({_where(error)})"
        raise DecodeError(
            f"the service answered {status} with {what}, content type {content_type}",
            status=status,
            content_type=content_type,
            size=len(body),
        ) from None


def _lenient(body: bytes) -> Any:
    import json  # not needed for services that keep to the standard

    return json.loads(body)


def _where(error: orjson.JSONDecodeError) -> str:
    return f"{error.msg.partition(':')[0]}: line {error.lineno} column {error.colno}"


def parse(value: Any, ref: ModelRef) -> Any:
    """Turn decoded JSON into the model it stands for.

    Raises:
        DecodeError: It does not fit the model.
    """
    adapter = load_model(ref)
    try:
        return adapter(value)
    except ValueError as error:  # pydantic's ValidationError is one; its own text would repeat the data
        raise DecodeError(f"the answer does not fit {ref.name}: {_differences(error)}") from None


def _differences(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return type(error).__name__
    found = errors(include_url=False, include_context=False, include_input=False)
    named = [f"{'.'.join(str(step) for step in item['loc']) or 'the whole'} ({item['type']})" for item in found[:3]]
    more = f" and {len(found) - len(named)} more" if len(found) > len(named) else ""
    return ", ".join(named) + more


@functools.cache
def load_model(ref: ModelRef) -> Any:
    """Import a model and return the function that makes it from decoded JSON."""
    from pydantic import TypeAdapter  # heavy: loaded with the first model, not with the package

    kind: Any = getattr(importlib.import_module(ref.module), ref.name)
    if ref.many == "list":
        kind = list[kind]
    elif ref.many == "dict":
        kind = dict[str, kind]
    return TypeAdapter(kind).validate_python


def decompress(body: bytes, encoding: bytes, limit: int) -> bytes:
    """Undo gzip and deflate, in the reverse order of their application.

    Raises:
        ResponseTooLarge: It becomes larger than ``limit`` bytes.
        DecodeError: The encoding is unknown, or the data is cut off or corrupt.
    """
    names = [name.strip().lower() for name in encoding.split(b",") if name.strip()]
    if len(names) > _MAX_ENCODINGS:
        raise DecodeError(f"the answer has {len(names)} content encodings on top of each other", size=len(body))
    for name in reversed(names):
        if name == b"identity":
            continue
        if name not in (b"gzip", b"x-gzip", b"deflate"):
            raise DecodeError(f"the answer has the unknown content encoding {name[:40]!r}", size=len(body))
        body = _inflate(body, raw_possible=name == b"deflate", limit=limit)
    return body


def _inflate(body: bytes, *, raw_possible: bool, limit: int) -> bytes:
    # "deflate" is zlib data by RFC 9110, but servers exist that send a raw stream.
    bits = 15 if raw_possible and _is_zlib(body) else -15 if raw_possible else 31
    out: list[bytes] = []
    room, position = limit, 0
    try:
        while position < len(body):
            piece, used = _member(body, position, bits, room + 1)
            room -= len(piece)
            if room < 0:
                raise ResponseTooLarge(limit)
            out.append(piece)
            position += used
            if bits != 31:
                break  # only gzip members follow one another
            while body[position : position + 1] == b"\0":  # and may be padded, as tape blocks were
                position += 1
    except zlib.error as error:
        raise DecodeError(f"the compressed answer is corrupt: {error}") from None
    return b"".join(out)


def _member(body: bytes, start: int, bits: int, room: int) -> tuple[bytes, int]:
    """Inflate one stream; return at most ``room`` bytes of it, and how many bytes it took.

    It is fed in growing windows: ``unused_data`` copies the rest of what was fed, so feeding everything at once would
    be quadratic in the number of members.
    """
    engine = zlib.decompressobj(bits)
    out = bytearray()
    view = memoryview(body)
    position, window = start, 1024
    while not engine.eof and len(out) < room:
        fed = view[position : position + window]
        if not fed:
            raise DecodeError("the compressed answer is cut off", size=len(body))
        out += engine.decompress(fed, room - len(out))
        position += len(fed)
        window *= 2
    return bytes(out), position - start - len(engine.unused_data)


def _is_zlib(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
