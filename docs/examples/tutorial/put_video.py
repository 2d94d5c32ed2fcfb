"""Upload the video, and print the id that the platform gave it."""

from asyncclient import voxel51

print(voxel51.API().upload_data("clip.mp4")["id"])
