"""Store what is on the card of a trap, in a folder of this machine, and list what was not there yet."""

import sys
from pathlib import Path
from typing import Any

from asyncclient.sticky_pi import LocalClient

card, store = map(Path, sys.argv[1:])

with LocalClient(store) as client:
    failures: list[Any] = []
    for row in client.put_images(sorted(card.glob("*.jpg")), failures=failures):
        print("stored", row["device"], row["datetime"])
    for path, error in failures:
        print("left out", Path(path).name, type(error).__name__)
    info = {"device": "%", "start_datetime": "2022-01-01T00:00:00Z", "end_datetime": "2023-01-01T00:00:00Z"}
    print(len(client.get_image_series([info], "thumbnail")), "images of 2022")
