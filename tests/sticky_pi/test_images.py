"""Images that are none: each is refused with a reason, and nothing is decoded that could fill the memory."""

from __future__ import annotations

import datetime as dt
import io
import pickle
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from asyncclient.sticky_pi._jpeg import MAX_PIXELS, check_jpeg
from asyncclient.sticky_pi.exceptions import InvalidImage, InvalidImageMetadata, InvalidImageName, NotAJPEG
from asyncclient.sticky_pi.image_parser import ImageParser, parse_image, read_metadata
from tests.sticky_pi.pictures import LEGACY, device_exif, exif_of, jpeg, name_of

WHEN = dt.datetime(2022, 5, 17, 18, 34, 50)
NAME = name_of("0a5bb6f4", WHEN)


def put(folder: Path, data: bytes, name: str = NAME) -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def test_an_image(tmp_path: Path) -> None:
    found = ImageParser(put(tmp_path, jpeg((1300, 700))))
    assert found["device"] == "0a5bb6f4"
    assert found["datetime"] == WHEN
    assert (found["width"], found["height"]) == (1300, 700)
    assert found["but"] is False
    assert found["temp"] == 20.5
    assert found.filename == NAME
    assert found.thumbnail.size == (512, 276)
    assert found.thumbnail_mini.size == (128, 69)


@pytest.mark.anyio
async def test_in_a_worker_thread(tmp_path: Path) -> None:
    path = put(tmp_path, jpeg(progressive=True))
    assert await parse_image(path) == ImageParser(Path(path))


def test_pictures_are_not_enlarged_and_keep_their_shape(tmp_path: Path) -> None:
    assert ImageParser(put(tmp_path, jpeg((160, 120)))).thumbnail.size == (160, 120)
    tall = ImageParser(put(tmp_path, jpeg((300, 1000))))
    assert (tall.thumbnail.size, tall.thumbnail_mini.size) == ((115, 384), (29, 96))


def test_grey_and_four_colour_pictures(tmp_path: Path) -> None:
    for mode, shown in (("L", "L"), ("CMYK", "RGB")):
        buffer = io.BytesIO()
        Image.new(mode, (40, 30)).save(buffer, "JPEG", exif=device_exif())
        assert ImageParser(put(tmp_path, buffer.getvalue())).thumbnail.mode == shown


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("something", "Three dot-separated fields"),
        ("a.b.c.d", "Three dot-separated fields"),
        ("5c173ff.2020-06-20_21-33-24.jpg", "Invalid device name field in file: 5c173ff"),
        ("5c173ffg.2020-06-20_21-33-24.jpg", "Invalid device"),
        (" 5c173ff.2020-06-20_21-33-24.jpg", "Invalid device"),
        ("-5c173ff.2020-06-20_21-33-24.jpg", "Invalid device"),
        ("5c173ff2.2020-13-20_21-33-24.jpg", "Could not retrieve datetime"),
        ("5c173ff2.2019-10-31_23-59-59.jpg", "before the platform even existed"),
    ],
)
def test_names(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InvalidImageName, match=words):
        ImageParser(put(tmp_path, jpeg(), name))


def bomb(width: int, height: int) -> bytes:
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"not an image", "Not a JPEG file: starts with 0x6e 0x6f"),
        (b"\x89PNG\r\n\x1a\n", "starts with 0x89 0x50"),
        (b"\xff\xd8", "truncated"),
        (b"\xff\xd8\xff\xd9", "truncated"),
        (b"\xff\xd8\x00\x00\x00\x00", "no marker at byte 2"),
        (b"\xff\xd8\xff\xe0\x00\x00" + bytes(20), "the length 0"),
        (jpeg()[:-200], "truncated"),
        (bomb(65_000, 65_000), f"larger than {MAX_PIXELS} pixels"),
        (bomb(0, 10), "0 x 10"),
    ],
)
def test_what_is_no_whole_picture(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(NotAJPEG, match=words) as caught:
        ImageParser(put(tmp_path, data))
    assert isinstance(caught.value, (ValueError, RuntimeError))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_picture_of_endless_scans(tmp_path: Path) -> None:
    data = jpeg(progressive=True)
    scan = data.rindex(b"\xff\xda")
    with pytest.raises(NotAJPEG, match="scans"):
        ImageParser(put(tmp_path, data[:-2] + data[scan:-2] * 100 + data[-2:]))


@pytest.mark.parametrize(
    ("exif", "words"),
    [
        (b"", "no EXIF data"),
        (exif_of(make=None), "no EXIF data|no 'Make'"),
        (exif_of(), "no 'UserComment'"),
        (exif_of(comment=b"one line"), "exactly two lines"),
        (device_exif("T,v", ",3"), "could not convert string to float: ''"),
        (device_exif("T", "nan"), "not a finite number"),
        (device_exif("b", "x"), "b: invalid literal"),
        (exif_of("Sticky Pi"), "neither a word nor a literal"),
        (exif_of("{'lng': 1}"), "cannot be used"),
        (exif_of("[1, 2]"), "a dict is expected"),
        (exif_of(LEGACY.replace("(1, 4)", "(1, 0)")), "cannot be used"),
        (exif_of("[" * 20_000), "characters"),
        (exif_of("[" * 5_000), "neither a word nor a literal"),
    ],
)
def test_what_devices_did_not_write(tmp_path: Path, exif: bytes, words: str) -> None:
    with pytest.raises(InvalidImageMetadata, match=words):
        ImageParser(put(tmp_path, jpeg(exif=exif)))


def test_text_in_an_image_cannot_say_what_the_file_shows(tmp_path: Path) -> None:
    literal = LEGACY[:-1] + ", 'md5': 'x', 'device': 'ffffffff', 'width': 9}"
    data = jpeg(exif=exif_of(literal))
    found = ImageParser(put(tmp_path, data))
    assert (found["device"], found["width"]) == ("0a5bb6f4", 64)
    assert found["md5"] == read_metadata(NAME, jpeg(exif=exif_of(literal)))["md5"]


def test_what_is_no_file() -> None:
    for given_, words in ((b"bytes", "Unexpected type"), (io.BytesIO(jpeg()), "name"), (7, "Unexpected type")):
        with pytest.raises(TypeError, match=words):
            ImageParser(given_)
    with pytest.raises(FileNotFoundError):
        ImageParser("/there/is/no/such.file.jpg")


def test_text_files_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path, b"text")
    with Path(path).open() as file, pytest.raises(TypeError, match="binary"):
        ImageParser(file)


WHOLE = jpeg((24, 16))


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_changed_byte_is_an_image_or_a_clear_error(position: int, value: int) -> None:
    data = WHOLE[:position] + bytes([value]) + WHOLE[position + 1 :]
    file = io.BytesIO(data)
    file.name = NAME
    try:
        found = ImageParser(file)
    except InvalidImage:
        return
    assert found["width"] * found["height"] <= MAX_PIXELS


@given(st.binary(max_size=200))
def test_any_bytes_are_looked_at_without_harm(data: bytes) -> None:
    for start in (b"", b"\xff\xd8"):
        with pytest.raises(NotAJPEG):
            check_jpeg(start + data.replace(b"\xff\xda", b""), "name")


@given(st.integers(0, len(WHOLE) - 1))
def test_every_cut_is_noticed(length: int) -> None:
    with pytest.raises(InvalidImage):
        read_metadata(NAME, WHOLE[:length])


def test_nothing_is_left_open(tmp_path: Path) -> None:
    path = put(tmp_path, jpeg())
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.is_dir() else 0
    for _ in range(20):
        ImageParser(path)
    assert not before or len(list(descriptors.iterdir())) <= before + 1
