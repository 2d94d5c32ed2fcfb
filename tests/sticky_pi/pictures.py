"""Images of the platform, made for tests: small JPEG files with the EXIF data that devices write."""

from __future__ import annotations

import datetime as dt
import io
import random
from pathlib import Path

from PIL import Image

NAMES = "v,T,H,B,L,lat,lng,a,l,b"
VALUES = "3.1.0,20.5,40.0,99,0.5,-10.123456,20.5,-5.0,1652813182,0"
LEGACY = (
    "{'lng': 1.5, 'lat': 2.5, 'alt': 3.0, 'datetime': '2021-02-02 02:02:02', 'no_flash_exposure_time': (1, 4),"
    " 'no_flash_iso': 400, 'no_flash_bv': (50, 100), 'no_flash_shutter_speed': (1, 1), 'temp': 1.0, 'hum': 2.0}"
)


def exif_of(make: str | None = "StickyPi", comment: bytes | None = None) -> bytes:
    exif = Image.Exif()
    if make is not None:
        exif[0x010F] = make
    if comment is not None:
        exif.get_ifd(0x8769)[0x9286] = comment
    return exif.tobytes()


def device_exif(names: str = NAMES, values: str = VALUES) -> bytes:
    return exif_of(comment=f"{names}\n{values}".encode())


def jpeg(
    size: tuple[int, int] = (64, 48), *, seed: int = 0, exif: bytes | None = None, progressive: bool = False
) -> bytes:
    """Make a picture with a few coloured dots; another seed gives another picture."""
    noise = random.Random(seed)
    image = Image.new("RGB", size, (noise.randrange(120, 200), noise.randrange(120, 200), 60))
    for _ in range(30):
        image.putpixel((noise.randrange(size[0]), noise.randrange(size[1])), (10, 10, noise.randrange(256)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=device_exif() if exif is None else exif, progressive=progressive)
    return buffer.getvalue()


def name_of(device: str, when: dt.datetime) -> str:
    return f"{device}.{when:%Y-%m-%d_%H-%M-%S}.jpg"


def write(folder: Path, device: str, when: dt.datetime, *, seed: int = 0, size: tuple[int, int] = (64, 48)) -> Path:
    """Write an image file; another device, time or seed gives another one."""
    path = folder / name_of(device, when)
    path.write_bytes(jpeg(size, seed=seed))
    return path


def series(folder: Path, device: str, count: int, *, start: dt.datetime, step_s: int = 1200) -> list[Path]:
    """Write one image after the other, some time apart."""
    return [write(folder, device, start + dt.timedelta(seconds=step_s * i), seed=i) for i in range(count)]
