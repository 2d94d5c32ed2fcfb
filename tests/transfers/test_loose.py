"""Part files without a journal: found again when their process has ended, and never while somebody may need them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asyncclient._transfers import loose
from asyncclient._transfers.loose import loose_path, sweep


@pytest.fixture(autouse=True)
def _nothing_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loose, "_swept", set())


def of_another(folder: Path, name: str = "f.bin", *, pid: int | None = None, started: str = "1") -> Path:
    """Make a part file as another process of this machine would."""
    machine = loose._process(os.getpid())[0]
    path = folder / f".{name}.{machine}-{pid if pid is not None else ended_pid()}-{started}-0.part"
    path.write_bytes(b"half")
    return path


def ended_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_names_differ_and_fit(tmp_path: Path) -> None:
    names = {loose_path(tmp_path / "f.bin") for _ in range(100)}
    assert len(names) == 100
    assert all(name.parent == tmp_path and name.name.startswith(".f.bin.") for name in names)
    assert len(os.fsencode(loose_path(tmp_path / ("ä" * 127)).name)) <= 255


@pytest.mark.skipif(not Path("/proc/sys/kernel/random/boot_id").exists(), reason="elsewhere nobody is sure")
def test_what_a_dead_process_left_goes_and_all_else_stays(tmp_path: Path) -> None:
    machine, started = loose._process(os.getpid())
    gone = [of_another(tmp_path), of_another(tmp_path, "with\nline.bin"), of_another(tmp_path, pid=os.getpid())]
    stays = [
        of_another(tmp_path, "living", pid=os.getppid(), started="0"),
        tmp_path / f".mine.{machine}-{os.getpid()}-{started}-7.part",
        tmp_path / f".elsewhere.01234567-{ended_pid()}-1-0.part",
        tmp_path / f".nobody.{'0' * 8}-{ended_pid()}-1-0.part",
        tmp_path / ".f.bin.0123abcd4567.part",
        tmp_path / f"f.bin.{machine}-{ended_pid()}-1-0.part",
        tmp_path / f".f.bin.{machine}-{ended_pid()}-1-0.partial",
    ]
    for path in stays:
        path.write_bytes(b"content")
    folder = tmp_path / f".folder.{machine}-{ended_pid()}-1-0.part"
    folder.mkdir()
    sweep(tmp_path)
    assert [path for path in gone if path.exists()] == []
    assert [path for path in [*stays, folder] if not path.exists()] == []


def test_a_folder_is_looked_at_once(tmp_path: Path) -> None:
    sweep(tmp_path)
    left = of_another(tmp_path)
    sweep(tmp_path)
    assert left.exists()
    sweep(tmp_path / "not there")


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from asyncclient._transfers import part_file
from asyncclient._transfers.part_file import as_sink
def killed(*_): os.kill(os.getpid(), signal.SIGKILL)
part_file.PartFile._commit = killed
asyncio.run(as_sink(Path(sys.argv[1])).store([b"half"]))
"""


@pytest.mark.skipif(not Path("/proc/sys/kernel/random/boot_id").exists(), reason="elsewhere nobody is sure")
@pytest.mark.anyio
async def test_the_next_download_takes_away_what_a_kill_left(tmp_path: Path) -> None:
    from asyncclient._transfers.part_file import PartFile, as_sink

    target = tmp_path / "copy.bin"
    done = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    sink: Any = as_sink(tmp_path / "another.bin")
    assert isinstance(sink, PartFile)
    await sink.store([b"whole"])
    assert [path.name for path in tmp_path.iterdir()] == ["another.bin"]


FORKED = """
import os, sys, warnings
from pathlib import Path
from asyncclient._transfers.fileio import folder_lock
warnings.simplefilter("ignore", DeprecationWarning)
with folder_lock(Path("folder")):
    child = os.fork()
    if not child:
        os._exit(0 if folder_lock(Path("folder")).acquire(blocking=False) else 1)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_does_not_wait_for_threads_that_it_has_not() -> None:
    assert subprocess.run([sys.executable, "-c", FORKED], check=False).returncode == 0
