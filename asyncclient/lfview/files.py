"""Files: arrays, images and thumbnails."""

from asyncclient.lfview._generated.models.files import Array, Image, Thumbnail

__all__ = ["Array", "Image", "Thumbnail"]
