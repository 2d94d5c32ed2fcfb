"""The fixtures that every user of pytest gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncclient.testing.pytest_plugin import asyncclient_las_options

pytest_plugins = ["pytester"]

USERS_TESTS = """
import httpx
import pytest
from asyncclient.testing import app


def sign_in(server):
    given = server.credentials()
    return httpx.post(
        f"{given['auth_endpoint']}/token?grant_type=client_credentials",
        auth=(given["client_id"], given["client_secret"]),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )


@pytest.mark.parametrize("time", [1, 2])
def test_fresh(asyncclient_las, time):
    assert not asyncclient_las.state.requests
    assert sign_in(asyncclient_las).status_code == 200
    assert asyncclient_las.state.counters == {"token": 1}


class TestOptions:
    @pytest.fixture
    def asyncclient_las_options(self):
        return {"client_id": "mine"}

    def test_options(self, asyncclient_las):
        assert asyncclient_las.credentials()["client_id"] == "mine"
        assert sign_in(asyncclient_las).status_code == 200


@pytest.mark.anyio
async def test_asynchronous(asyncclient_las):
    transport = httpx.ASGITransport(app=app("las"))
    async with httpx.AsyncClient(transport=transport) as http:
        assert (await http.get(asyncclient_las.url)).status_code == 404
    assert asyncclient_las.state.counters == {}


def test_several(asyncclient_serve):
    one, two = asyncclient_serve("las", short_pages=True), asyncclient_serve("las", tls=True)
    assert one.state.options.short_pages
    assert two.ca_file
"""


def test_in_a_project_of_a_user(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USERS_TESTS)
    pytester.makeconftest('import pytest\n@pytest.fixture\ndef anyio_backend():\n    return "asyncio"\n')
    result = pytester.runpytest_subprocess("-W", "error", "--strict-markers", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5)


def test_they_are_listed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("")
    result = pytester.runpytest_subprocess("--fixtures", "-q")
    result.stdout.fnmatch_lines(["asyncclient_serve*", "asyncclient_las_options*", "asyncclient_las *"])


def test_options_are_empty_unless_overridden(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    assert request.getfixturevalue(asyncclient_las_options.__name__) == {}
