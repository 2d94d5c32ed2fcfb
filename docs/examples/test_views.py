"""A test with an emulator that behaves badly: it keeps only a part of every chunk it is sent."""

from typing import Any

import numpy
import pytest

from asyncclient import lfview, testing
from asyncclient.lfview import files, manifests, spatial


@pytest.fixture
def asyncclient_lfview_options() -> dict[str, Any]:
    return {"kept_bytes_per_chunk": 262_144}


def test_everything_arrives(asyncclient_lfview: testing.Server) -> None:
    given = asyncclient_lfview.credentials()
    session = lfview.Session(given["api_key"], discovery_url=given["discovery_url"])
    vertices = numpy.random.default_rng(1).random((50_000, 3))
    points = spatial.ElementPointSet(vertices=files.Array(vertices), defaults={"color": {"value": "red"}})

    url = session.upload(manifests.View(name="Drill holes", elements=[points]), verbose=False, chunk_size=524_288)

    found = session.download(url).elements[0].vertices.array
    assert (found == vertices).all()
