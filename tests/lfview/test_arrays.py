"""Arrays: the stored type, exactness, content, what is refused."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from asyncclient.lfview._arrays import NUMPY_TYPES, stored
from asyncclient.lfview._graph import is_uploaded, mark_sent, touch
from asyncclient.lfview._images import PathFile
from asyncclient.lfview.exceptions import ValidationError
from asyncclient.lfview.files import Array, Image, Thumbnail

TYPES = [
    ("f2", "Float32Array"),
    ("f4", "Float32Array"),
    ("f8", "Float64Array"),
    ("g", "Float64Array"),
    ("i1", "Int8Array"),
    ("i2", "Int16Array"),
    ("i4", "Int32Array"),
    ("i8", "Int32Array"),
    ("u1", "Uint8Array"),
    ("u2", "Uint16Array"),
    ("u4", "Uint32Array"),
    ("u8", "Uint32Array"),
    (">f8", "Float64Array"),
    (">i2", "Int16Array"),
    (">u8", "Uint32Array"),
]


@pytest.mark.parametrize(("dtype", "name"), TYPES)
def test_types(dtype: str, name: str) -> None:
    made = Array(np.array([1, 2, 3], dtype))
    assert (made.dtype, made.shape) == (name, [3])
    assert made.content_length == 3 * np.dtype(NUMPY_TYPES[name]).itemsize
    np.testing.assert_array_equal(np.frombuffer(made.raw(), NUMPY_TYPES[name]), [1, 2, 3])
    made.validate()


@pytest.mark.parametrize(
    ("values", "name", "shape"),
    [
        ([1, -2, 3], "Int32Array", [3]),
        ([1.0, 2], "Float64Array", [2]),
        ([], "Float64Array", [0]),
        (((1, 2), (3, 4)), "Int32Array", [2, 2]),
        (np.zeros((2, 0, 3), "u1"), "Uint8Array", [2, 0, 3]),
        ([2**31 - 1, -(2**31)], "Int32Array", [2]),
    ],
)
def test_values(values: Any, name: str, shape: list[int]) -> None:
    made = Array(array=values)
    assert (made.dtype, made.shape) == (name, shape)
    made.validate()


@pytest.mark.parametrize(
    "values",
    [
        [2147483648],
        [-2147483649],
        [2**63],
        [2**70],
        np.array([2**32], "u8"),
        [True],
        np.array([1j]),
        ["a"],
        [None],
        [[1], [2, 3]],
        np.array(["2020-01-01"], "M8[D]"),
        np.array(5.0),
        np.ma.masked_array([1, 2], [True, False]),
        "text",
        {1, 2},
        3.0,
        b"bytes",
        range(3),
    ],
)
def test_refused(values: Any) -> None:
    with warnings.catch_warnings(), pytest.raises(ValidationError, match=r"Array\.array: "):
        warnings.simplefilter("error")
        Array(values)


@pytest.mark.skipif(bool(np.finfo(np.longdouble).max <= np.finfo(np.float64).max), reason="long double is double here")
def test_long_doubles_that_are_too_large() -> None:
    with pytest.raises(ValidationError, match="too large"):
        Array(np.array(["1e400"], np.longdouble))
    assert Array(np.array(["inf", "nan"], np.longdouble)).dtype == "Float64Array"


NUMBERS = (
    hnp.integer_dtypes(endianness="?")
    | hnp.unsigned_integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64))
)


@given(hnp.arrays(NUMBERS, hnp.array_shapes(max_dims=4, min_side=0, max_side=4), fill=st.nothing()), st.booleans())
def test_values_survive_or_are_refused(given_array: np.ndarray[Any, Any], transposed: bool) -> None:
    values = given_array.T if transposed else given_array
    try:
        made = Array(values)
    except ValidationError:
        assert values.dtype.itemsize == 8
        assert values.dtype.kind in "iu"
        limits = np.iinfo(f"{values.dtype.kind}4")
        assert int(values.min()) < limits.min or int(values.max()) > limits.max
        return
    kept = made.array
    assert kept is not None
    assert kept.flags.c_contiguous
    assert kept.flags.owndata
    assert not np.shares_memory(kept, values)
    assert kept.dtype.str.lstrip("|<") == NUMPY_TYPES[str(made.dtype)][1:]
    np.testing.assert_array_equal(kept, values)
    assert made.content_length == len(made.raw()) == kept.nbytes
    assert bytes(made.raw()) == values.astype(NUMPY_TYPES[str(made.dtype)]).tobytes("C")
    made.validate()
    again = Array.from_json(made.to_json())
    again.fill(made.raw())
    np.testing.assert_array_equal(again.array, values)
    assert again.to_json() == made.to_json()


def test_half_floats_are_kept_exactly() -> None:
    values = np.array([0.5, 65504, np.nan, np.inf], "f2")
    np.testing.assert_array_equal(stored(values), values)


def test_the_array_is_a_copy_and_can_be_changed() -> None:
    values = np.zeros(3)
    made = Array(values)
    values[0] = 1
    kept = made.array
    assert kept is not None
    assert kept[0] == 0
    before = made.content_digest()
    kept[1] = 5
    assert made.content_digest() != before


def test_metadata_only() -> None:
    made = Array(content_length=24, dtype="float64", shape=[3])
    assert made.dtype == "Float64Array"
    assert made.array is None
    assert bytes(made.raw()) == b""
    assert made.content_digest() == b""
    made.validate()
    with pytest.raises(ValidationError, match="content_length: at most 24"):
        made.content_length = 25
    with pytest.raises(ValidationError, match="content_length: at most 24"):
        Array(content_length=25, dtype="<f8", shape=[3])
    made.content_length = 20
    made.shape = [2]
    with pytest.raises(ValidationError, match="content_length: at most 16"):
        made.validate()
    with pytest.raises(ValidationError, match="shape: at least 1 items"):
        Array(dtype="<f8", shape=[], content_length=0).validate()


def test_values_replace_metadata_and_none_takes_them_away() -> None:
    made = Array(content_length=24, dtype="<f8", shape=[3])
    made.array = np.arange(10, dtype="u1")
    assert (made.dtype, made.shape, made.content_length) == ("Uint8Array", [10], 10)
    made.array = None
    assert made.array is None
    assert made.shape == [10]


def test_metadata_that_contradicts_the_values() -> None:
    made = Array([1.0, 2.0, 3.0])
    made.shape = [3, 1]
    made.validate()
    made.shape = [4]
    with pytest.raises(ValidationError, match=r"array: has 24 bytes; Float64Array of shape \[4\] has others"):
        made.validate()
    made.shape = None
    with pytest.raises(ValidationError, match=r"shape: is required"):
        made.validate()


def test_content_has_to_fit() -> None:
    made = Array(content_length=24, dtype="<f8", shape=[3])
    with pytest.raises(ValidationError, match="has 24 bytes, the content 23"):
        made.fill(b"x" * 23)
    with pytest.raises(ValidationError, match="must be known first"):
        Array().fill(b"")
    made.fill(np.array([1.0, 2, 3]).tobytes())
    kept = made.array
    assert kept is not None
    kept[0] = 9
    assert kept.tolist() == [9, 2, 3]


def test_content_is_not_copied() -> None:
    made = Array(np.zeros(1000))
    kept = made.array
    assert kept is not None
    assert np.shares_memory(np.frombuffer(made.raw(), "u1"), kept)


def test_images_of_paths_are_open_only_while_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"0123456789")
    made = Image(str(path))
    assert made.content_length == 10
    file = made.image
    assert isinstance(file, PathFile)
    assert (file.read(4), file.tell(), file.read(), file.read(1)) == (b"0123", 4, b"456789", b"")
    assert (file.seek(2), file.seek(1, 1), file.seek(-1, 2), file.read()) == (2, 3, 9, b"9")
    assert (file.readable(), file.seekable(), file.name) == (True, True, str(path))
    with file as same:
        assert same.seek(0) == 0
    with pytest.raises(ValueError, match="before the start"):
        file.seek(-1)
    made.validate()
    before = made.content_digest()
    path.write_bytes(b"longer than before")
    assert made.content_digest() != before
    with pytest.raises(ValidationError, match=r"image: has 18 bytes, content_length is 10"):
        made.validate()
    made.image = path
    made.validate()
    path.unlink()
    assert made.content_digest() == b"gone"
    with pytest.raises(ValidationError, match="image: cannot be read"):
        made.validate()


def test_images_of_files_and_bytes() -> None:
    file = io.BytesIO(b"abc")
    file.seek(2)
    made = Image(image=file)
    assert (made.content_length, made.image.read(), made.content_type) == (3, b"abc", "image/png")
    before = made.content_digest()
    assert made.image.read() == b"abc"
    file.seek(0)
    file.write(b"x")
    assert made.content_digest() != before
    made.image = None
    assert made.image is None
    assert made.content_digest() == b""
    made.validate()
    assert Thumbnail(b"1234").to_json() == {"content_type": "image/png", "content_length": 4}
    assert Image(content_length=3).image is None


def test_a_closed_file_counts_as_unchanged() -> None:
    file = io.BytesIO(b"abc")
    made = Image(file)
    before = made.content_digest()
    file.close()
    assert made.content_digest() == before
    with pytest.raises(ValidationError, match="cannot be read"):
        made.validate()


def test_a_file_that_was_sent_may_be_closed() -> None:
    file = io.BytesIO(b"abc")
    made = Image(file)
    mark_sent(made, {"self": "https://lfview.example/files/image/i1"})
    file.close()
    made.validate()
    assert is_uploaded(made)
    touch(made)
    with pytest.raises(ValidationError, match="cannot be read"):
        made.validate()


@pytest.mark.parametrize("value", [3, io.StringIO("text"), object(), [1]])
def test_no_images(value: Any) -> None:
    with pytest.raises(ValidationError, match="expected a path, bytes or a binary file object"):
        Image(value)


def test_missing_files_are_noticed_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"cannot be read") as caught:
        Image(tmp_path / "none.png")
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_files_that_cannot_seek() -> None:
    class Pipe(io.RawIOBase):
        def seekable(self) -> bool:
            return False

    with pytest.raises(ValidationError, match="cannot be read"):
        Image(Pipe())
