"""Facades: what is refused, how long ones are cut, how classes are found."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from asyncclient._codegen._errors import FacadeError
from asyncclient._codegen._facade import facade_modules
from asyncclient._codegen._facade_types import sync_text
from asyncclient._codegen._settings import FacadeModule, FacadePair
from asyncclient._codegen._sources import Sources

HEAD = """
from __future__ import annotations
import asyncio, contextlib, httpx, functools
from collections.abc import *
from typing import *
from asyncclient.other import AsyncOther
"""
OTHER = "class AsyncOther:\n    def __init__(self) -> None: ...\n"


def _made(body: str, *, tmp_path: Path, pair: FacadePair | None = None) -> str:
    pair = pair or FacadePair("asyncclient.toy", "AsyncToy", "Toy")
    module = FacadeModule("toy/_generated", "sync/toy.py", (pair,))
    other = FacadeModule("toy/_generated", "sync/other.py", (FacadePair("asyncclient.other", "AsyncOther", "Other"),))
    overlay = {
        "toy.py": HEAD + "class AsyncToy:\n" + textwrap.indent(textwrap.dedent(body), "    "),
        "other.py": OTHER,
    }
    (made,) = facade_modules(module, (module, other), Sources(tmp_path, overlay))
    return made.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("def f(self): ...", "f needs a return type"),
        ("@functools.cache\ndef f(self) -> int: ...", "the decorator cache"),
        ("async def f(self) -> AsyncOther: ...", "f returns an async object"),
        ("def f(self) -> AsyncOther: ...", "f returns an async object"),
        ("async def f(self, other: AsyncOther) -> None: ...", "the argument other is an async object"),
        ("def __init__(self) -> None:\n    self.x = 1", r"AsyncToy\.x needs an annotation"),
        ("other: AsyncOther", "make it a property"),
        ("async def f(self, x: Unheard) -> None: ...", "the name Unheard comes from nowhere"),
    ],
)
def test_what_no_facade_stands_for_is_refused(body: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(FacadeError, match=words):
        _made(body, tmp_path=tmp_path)


def test_omissions_and_wordings_must_match(tmp_path: Path) -> None:
    pair = FacadePair("asyncclient.toy", "AsyncToy", "Toy", omit={"gone": "was removed"})
    with pytest.raises(FacadeError, match="no gone to omit"):
        _made("def f(self) -> int: ...", tmp_path=tmp_path, pair=pair)
    pair = FacadePair("asyncclient.toy", "AsyncToy", "Toy", wording=(("never said", ""),))
    with pytest.raises(FacadeError, match="never said"):
        _made("def f(self) -> int: ...", tmp_path=tmp_path, pair=pair)


def test_a_class_without_constructor_or_docstring(tmp_path: Path) -> None:
    text = _made("def f(self) -> 'list[int]': ...\nlimit: int", tmp_path=tmp_path)
    assert "self._async = self._build(AsyncToy)" in text
    assert "def f(self) -> list[int]:\n        return self._async.f()" in text
    assert "def limit(self) -> int:" in text


def test_only_our_classes_are_renamed(tmp_path: Path) -> None:
    body = "async def f(self, client: httpx.AsyncClient) -> httpx.Response:\n    '''Take an ``httpx.AsyncClient``.'''"
    text = _made(body, tmp_path=tmp_path)
    assert "client: httpx.AsyncClient) -> httpx.Response" in text
    assert "Take an ``httpx.AsyncClient``." in text


def test_docstrings_lose_what_is_async() -> None:
    text = "async with las.AsyncClient() as c: await c.x()\nasync for row in c.iterate(): awaiting"
    expected = "with las.Client() as c: c.x()\nfor row in c.iterate(): awaiting"
    assert sync_text(text, {"AsyncClient": "Client"}) == expected


def test_a_long_facade_keeps_its_operations_beside_it(tmp_path: Path) -> None:
    doc = "\n".join(["        '''Do it."] + ["        line"] * 60 + ["        '''"])
    methods = "".join(f"    async def op_{n}(self) -> int:\n{doc}\n" for n in range(40))
    overlay = {
        "toy/_generated/operations/a.py": f"class AOperations:\n{methods}",
        "toy/_generated/operations/__init__.py": "from asyncclient.toy._generated.operations.a import AOperations\n",
        "toy/client.py": "from asyncclient.toy._generated.operations import AOperations\n"
        "class AsyncToy(AOperations):\n    '''A toy.'''\n    async def own(self) -> int:\n        '''Do more.'''\n",
    }
    module = FacadeModule(
        "toy/_generated", "sync/client.py", (FacadePair("asyncclient.toy.client", "AsyncToy", "Toy"),)
    )
    client, *parts = facade_modules(module, (module,), Sources(tmp_path, overlay))
    assert [part.path for part in parts] == ["sync/operations1.py", "sync/operations2.py", "sync/operations3.py"]
    assert "class Toy(ToyOperations1, ToyOperations2, ToyOperations3):" in client.text
    assert "from asyncclient.toy._generated.sync.operations3 import ToyOperations3" in client.text
    assert "def own(" in client.text
    assert "def op_" not in client.text
    assert sum(part.text.count("def op_") for part in parts) == 40


def test_resolution_order_is_that_of_python(tmp_path: Path) -> None:
    source = (
        "class A: ...\nclass B(A): ...\nclass C(A): ...\nclass D(B, C): ...\nclass Bad(A, B): ...\nclass X(f()): ...\n"
    )
    sources = Sources(tmp_path, {"m.py": source})
    found = sources.mro(sources.find_class("asyncclient.m", "D"))
    assert [cls.node.name for cls in found] == ["D", "B", "C", "A"]
    with pytest.raises(FacadeError, match="contradict"):
        sources.mro(sources.find_class("asyncclient.m", "Bad"))
    with pytest.raises(FacadeError, match="cannot read the base"):
        sources.mro(sources.find_class("asyncclient.m", "X"))
    with pytest.raises(FacadeError, match="no class Y"):
        sources.find_class("asyncclient.m", "Y")
    with pytest.raises(FacadeError, match="no module"):
        sources.find_class("asyncclient.nothing", "Y")
