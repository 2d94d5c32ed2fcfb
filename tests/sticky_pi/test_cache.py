from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.sticky_pi.client import Cache

WHEN = dt.datetime(2020, 6, 20, 20, 19, 15)
GOOD = {"device": "0a5bb6f4", "datetime": WHEN, "md5": "0" * 32, "url": "/a.jpg"}
BAD = {"device": None, "datetime": None, "md5": None, "url": "/b.jpg"}


def filled(path: Path) -> Cache:
    cache = Cache(str(path))
    cache.add("source", [{("/a.jpg", 1.5): GOOD}, {("/b.jpg", 2.0): BAD}])
    return cache


def test_what_is_added_is_found(tmp_path: Path) -> None:
    cache = filled(tmp_path / "deep" / "cache.json")
    assert cache.get_hashes("source") == {("/a.jpg", 1.5), ("/b.jpg", 2.0)}
    assert cache.get_hashes("another") == {}
    assert cache.get_cached("source", ("/a.jpg", 1.5)) == GOOD
    assert cache.get_cached("source", ("/b.jpg", 2.0)) is None
    for source, key in (("source", ("/c.jpg", 1.0)), ("another", ("/a.jpg", 1.5))):
        with pytest.raises(KeyError):
            cache.get_cached(source, key)


def test_it_survives(tmp_path: Path) -> None:
    filled(tmp_path / "cache.json").sync()
    again = Cache(str(tmp_path / "cache.json"))
    assert again.get_cached("source", ("/a.jpg", 1.5)) == GOOD
    again.add("another", [{("/a.jpg", 1.5): GOOD}])
    again.sync()
    third = Cache(str(tmp_path / "cache.json"))
    assert third.get_hashes("source") == {("/a.jpg", 1.5), ("/b.jpg", 2.0)}
    assert third.get_hashes("another") == {("/a.jpg", 1.5)}


def test_it_saves_itself_after_many(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path / "cache.json"))
    cache.add("source", [])
    assert not (tmp_path / "cache.json").exists()
    cache.add("source", [{(f"/{i}.jpg", 1.0): GOOD} for i in range(1024)])
    assert len(Cache(str(tmp_path / "cache.json")).get_hashes("source")) == 1024


def test_delete_leaves_what_is_in_memory(tmp_path: Path) -> None:
    cache = filled(tmp_path / "cache.json")
    cache.sync()
    cache.delete()
    cache.delete()
    assert not (tmp_path / "cache.json").exists()
    assert cache.get_cached("source", ("/a.jpg", 1.5)) == GOOD


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("the cache was unpickled",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"[]",
        b'{"sticky_pi_cache":2}\n',
        b'{"sticky_pi_cache":1}\n{"a":1}\n',
        b'{"sticky_pi_cache":1}\n["d","/a",1.0,"x","no date","m"]\n',
        b'{"sticky_pi_cache":1}\n["d","/a","1.0","x","2020-06-20T20:19:15Z","m"]\n',
        pickle.dumps(Harm()),
    ],
)
def test_a_damaged_or_foreign_file_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cache.json"
    path.write_bytes(content)
    cache = Cache(str(path))
    assert cache.get_hashes("source") == {}
    cache.add("source", [{("/a.jpg", 1.5): GOOD}])
    cache.sync()
    assert Cache(str(path)).get_cached("source", ("/a.jpg", 1.5)) == GOOD


def test_paths_that_are_no_text_harm_no_others(tmp_path: Path) -> None:
    cache = filled(tmp_path / "cache.json")
    cache.add("source", [{("/\udcff.jpg", 1.0): GOOD}])
    cache.sync()
    assert Cache(str(tmp_path / "cache.json")).get_hashes("source") == {("/a.jpg", 1.5), ("/b.jpg", 2.0)}


@given(
    st.dictionaries(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.floats(0, 1e10)),
        st.datetimes(min_value=dt.datetime(1, 1, 1)).map(lambda when: when.replace(microsecond=0)),
        max_size=5,
    )
)
def test_anything_comes_back(tmp_path_factory: pytest.TempPathFactory, results: dict[Any, dt.datetime]) -> None:
    path = tmp_path_factory.mktemp("cache") / "cache.json"
    cache = Cache(str(path))
    cache.add("source", [{key: {**GOOD, "datetime": when}} for key, when in results.items()])
    cache.sync()
    again = Cache(str(path))
    for key, when in results.items():
        found = again.get_cached("source", key)
        assert found is not None
        assert found["datetime"] == when
