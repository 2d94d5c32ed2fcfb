"""``asyncclient testing serve``."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable

from asyncclient import las


def test_it_serves_until_ctrl_c(start: Callable[..., subprocess.Popen[str]]) -> None:
    child = start("testing", "serve", "las", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    ready = json.loads(child.stdout.readline())
    with las.Client(las.Credentials(**ready["credentials"])) as client:
        assert client.list_datasets()["datasets"] == []
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, "", "")
