"""Fetch a video, at 8 MB a second, so that there is time to interrupt it."""

import sys

from asyncclient import Hub, Limits, Progress, voxel51

shown = -1


def show(progress: Progress) -> None:
    global shown
    tenth = 10 * progress.bytes_done // (progress.bytes_total or 1)
    if tenth > shown:
        shown = tenth
        print(f"{10 * tenth} % are on the disk", flush=True)


with Hub(limits=Limits(max_bandwidth=8e6)) as hub:
    api = voxel51.API(hub=hub)
    path = api.download_data(sys.argv[1], "copy.mp4", on_progress=show)
    print("fetched", path, "of which", hub.statistics().bytes_received // 10**6, "MB came now")
