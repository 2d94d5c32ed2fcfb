"""The server of Sticky Pi with its files in S3, everything logged: what botocore and our server write of it."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from typing import Any

import pytest

from asyncclient import Hub, sticky_pi
from asyncclient.sticky_pi.server import create_app
from tests.observability.sessions import marked
from tests.observability.tap import tapped
from tests.observability.witness import Witness
from tests.sticky_pi.pictures import series
from tests.sticky_pi_server.buckets import make_bucket
from tests.support import peers

EVERYTHING = {"device": "%", "start_datetime": "2000-01-01T00:00:00Z", "end_datetime": "2055-12-31T00:00:00Z"}


@pytest.mark.parametrize("there", [True, False])
def test_files_in_s3(there: bool, tmp_path: Path) -> None:
    password, private, server_key = marked("password"), marked("s3"), marked("server")
    with peers.moto(tmp_path) as url, Witness() as witness:
        conf: dict[str, Any] = {
            **make_bucket(url, "pictures").conf,
            "S3_PRIVATE_KEY": private,
            "SECRET_API_KEY": server_key,
            "LOCAL_DIR": str(tmp_path / "server"),
            "API_ADMIN_NAME": "admin",
            "API_ADMIN_PASSWORD": password,
        }
        if not there:
            conf["S3_BUCKET_NAME"] = "no-such-bucket"
        with tapped(create_app(conf), lifespan=True) as tap, Hub(observers=witness.observers) as hub:
            client = sticky_pi.RemoteClient(tmp_path / "client", tap.url, "admin", password, hub=hub, max_retries=0)
            pictures = series(tmp_path, "0a5bb6f4", 2, start=dt.datetime(2022, 5, 17, 18, 34, 50))
            try:
                client.put_images(pictures)
                client.get_image_series([EVERYTHING], what="image")
            except Exception as error:
                assert not there
                witness.failed(error)
            else:
                assert there
        assert password in tap.secrets
        assert any(record.name.startswith("botocore") for record in witness.records), "botocore has logged nothing"
        assert any(record.levelno == logging.DEBUG for record in witness.records)
        leaks = witness.leaks({password, private, server_key, *tap.secrets})
    assert not leaks, "\n".join(sorted({f"{leak.where} ({leak.form}): {leak.around!r}" for leak in leaks})[:20])
