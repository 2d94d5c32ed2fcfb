from __future__ import annotations

import pytest

from asyncclient._transfers.options import TransferOptions
from asyncclient.errors import ArgumentError


@pytest.mark.parametrize(
    "wrong", [{"parallel": 0}, {"part_size": 0}, {"max_retries": -1}, {"parallel": True}, {"parallel": "4"}]
)
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        TransferOptions(**wrong)  # type: ignore[arg-type]
