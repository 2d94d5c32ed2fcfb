"""Make files to play with: a folder of small PDF files, and a video of 64 MB."""

from pathlib import Path

folder = Path("invoices")
folder.mkdir(exist_ok=True)
for number in range(1, 21):
    (folder / f"{number:02}.pdf").write_bytes(b"%PDF-1.4\n" + bytes([number]) * 20_000)

with Path("clip.mp4").open("wb") as clip:
    for second in range(64):
        clip.write(bytes([second]) * 1_000_000)

print(len(list(folder.iterdir())), "invoices, and a clip of", Path("clip.mp4").stat().st_size, "bytes")
