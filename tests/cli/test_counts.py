"""Counts in words."""

from __future__ import annotations

import pytest

from asyncclient.cli._counts import counted


@pytest.mark.parametrize(
    ("number", "noun", "words"), [(0, "file", "0 files"), (1, "part file", "1 part file"), (2, "image", "2 images")]
)
def test_one_is_singular(number: int, noun: str, words: str) -> None:
    assert counted(number, noun) == words
