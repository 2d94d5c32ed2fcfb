"""The pytest fixtures of this emulator."""

from __future__ import annotations

from typing import Any

import pytest

from asyncclient import lfview
from asyncclient.testing import Server


class TestOptions:
    @pytest.fixture
    def asyncclient_lfview_options(self) -> dict[str, Any]:
        return {"api_key": "mine", "accepted_terms": False}

    def test_they_change_the_emulator(self, asyncclient_lfview: Server) -> None:
        assert asyncclient_lfview.credentials()["api_key"] == "mine"
        with pytest.raises(lfview.exceptions.TermsNotAccepted):
            lfview.Session(**asyncclient_lfview.credentials())


def test_a_fresh_state(asyncclient_lfview: Server, asyncclient_lfview_options: dict[str, Any]) -> None:
    assert asyncclient_lfview_options == {}
    assert not asyncclient_lfview.state.requests
    lfview.Session(**asyncclient_lfview.credentials())
    assert asyncclient_lfview.state.counters == {"lookup_endpoints": 1, "get_user": 1}
