"""The recorded calls of pure functions, of the parser of images and of the configuration."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from asyncclient.sticky_pi import configuration, image_parser, utils
from tests.sticky_pi import cases

pytestmark = cases.needs_contract

# The project's own words; other messages are those of libraries, and our errors say more.
OWN_WORDS = (
    "Wrong file name",
    "Invalid device",
    "Could not retrieve",
    "Image taken",
    "Un-parsable",
    "No value provided",
)


def of(prefix: str) -> Any:
    found = [case for case in cases.load()["functions"] if case["function"].startswith(prefix)]
    return pytest.mark.parametrize("case", found, ids=[case["id"] for case in found])


def check_raises(case: dict[str, Any], call: Any) -> None:
    expected = case["raises"]
    with pytest.raises(Exception) as caught:  # which one is compared below
        call()
    kind = expected["type"].removeprefix("builtins.")
    official = getattr(__builtins__, kind, None) if not isinstance(__builtins__, dict) else __builtins__.get(kind)
    if official in (ValueError, TypeError, RuntimeError, FileExistsError):
        assert isinstance(caught.value, official)
    if expected["message"].startswith(OWN_WORDS):
        assert str(caught.value) == expected["message"]


def stream(case: dict[str, Any]) -> io.BytesIO:
    text = case["args"][0]
    if "hello world" in text:
        file = io.BytesIO(b"hello world")
        file.seek(6)
        return file
    return io.BytesIO(bytes(i % 251 for i in range(case["size"])))


@of("utils.")
def test_utils(case: dict[str, Any]) -> None:
    name = case["function"].removeprefix("utils.")
    function = getattr(utils, name)
    args = cases.filled(case["args"], cases.places())
    kwargs = cases.filled(case["kwargs"], cases.places())
    file = None
    if args and isinstance(args[0], str) and args[0].startswith("<file object"):
        args[0] = file = stream(case)
    if args and isinstance(args[0], dict) and "$repr" in args[0]:
        args[0] = {1, 2}

    def call() -> Any:
        if name.endswith(("_to_json", "_to_python")):

            @function
            def method(self: Any, *args: Any, **kwargs: Any) -> Any:
                return [list(args), kwargs]

            return method(None, *args, **kwargs)
        result = function(*args, **kwargs)
        return list(result) if name == "chunker" else result

    if "raises" in case:
        check_raises(case, call)
        return
    result = call()
    expected = case["returns"]
    if isinstance(expected, dict) and "position_after" in expected:
        assert file is not None
        assert file.tell() == expected["position_after"]
        expected = expected["result"]
    assert cases.same(result, expected)


def parsed(case: dict[str, Any], tmp_path: Path) -> Any:
    (argument,) = case["args"]
    if "file_name" in case:
        copy = tmp_path / case["file_name"]
        source = re.search(r"\$\{IMAGES\}/[^,>]+", argument)
        assert source is not None
        copy.write_bytes(Path(cases.filled(source[0], cases.places())).read_bytes())
        return image_parser.ImageParser(str(copy))
    if argument == "<bytes>":
        return image_parser.ImageParser(b"\xff\xd8")
    if argument.startswith("<open file over"):
        source = re.search(r"\$\{IMAGES\}/\S+", argument)
        assert source is not None
        with Path(cases.filled(source[0], cases.places())).open("rb") as file:
            found = image_parser.ImageParser(file)
            assert file.tell() == 0
            return found
    return image_parser.ImageParser(cases.filled(argument, cases.places()))


@of("image_parser.")
def test_image_parser(case: dict[str, Any], tmp_path: Path) -> None:
    if "raises" in case:
        check_raises(case, lambda: parsed(case, tmp_path))
        return
    found, expected = parsed(case, tmp_path), case["returns"]
    if "items" not in expected:
        assert cases.same({key: found[key] for key in expected}, expected)
        return
    assert cases.same(dict(found), expected["items"])
    assert list(found) == expected["key_order"]
    assert found.filename == expected["filename"]
    assert len(found.file_blob) == expected["blob_size"]
    for name in ("thumbnail", "thumbnail_mini"):
        check_thumbnail(getattr(found, name), expected[name])


def check_thumbnail(image: Any, expected: dict[str, Any]) -> None:
    import PIL
    from PIL import ImageStat

    assert list(image.size) == expected["size"]
    assert image.mode == expected["mode"]
    mean = ImageStat.Stat(image).mean
    assert all(abs(ours - theirs) < 0.5 for ours, theirs in zip(mean, expected["mean_rgb"], strict=True))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    tables = {str(key): list(table) for key, table in Image_open(buffer).quantization.items()}
    assert tables == expected["jpeg"]["quantization_tables"]
    if PIL.__version__ == cases.load()["about"]["recorded_with"]["pillow"]:
        assert hashlib.md5(buffer.getvalue()).hexdigest() == expected["jpeg"]["md5_with_this_encoder"]


def Image_open(buffer: io.BytesIO) -> Any:
    from PIL import Image

    return Image.open(buffer)


@of("configuration.")
def test_configuration(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_API_KEY", "LOCAL_DIR", "MYSQL_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in case.get("environment", {}).items():
        monkeypatch.setenv(name, value)
    kwargs = dict(case["kwargs"])
    if "env_file_content" in case:
        (tmp_path / "file.env").write_text(case["env_file_content"])
        kwargs["env_file"] = str(tmp_path / "file.env")
    cls = getattr(configuration, case["function"].partition(".")[2])

    def call() -> Any:
        conf = cls(*case["args"], **kwargs)
        if case["id"] == "conf-attribute-missing":
            return conf.NOPE
        if case["id"] == "conf-attribute":
            value = conf.LOCAL_DIR
            conf.NEW = 1
            return [value, dict(conf)]
        return dict(conf)

    if "raises" in case:
        check_raises(case, call)
        return
    expected = case["returns"]
    result = call()
    if isinstance(expected, dict):
        result = {name: value for name, value in result.items() if name in expected or value is not None}
    if case["id"] == "conf-attribute":
        result[1].pop("MYSQL_HOST")
    assert cases.same(result, expected)
