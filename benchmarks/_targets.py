"""The numbers to hold, all of them: what the design asks for, and what each service asks for. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["SCRIPTS", "TARGETS", "Comparison", "Measure", "Target", "TIMES", "target_of"]

Comparison = Literal["≤", "≥"]
Measure = Literal["CPU", "wall", "memory", "count"]

TIMES: Final = "\N{MULTIPLICATION SIGN}"
"""The unit of ratios."""

SCRIPTS: Final = ("calls", "cancel", "latency", "transfers", "kill_resume", "voxel51", "flywheel", "sticky_pi")
"""The scripts in the order in which they run; the first part of a target's id is one of them."""


@dataclass(frozen=True)
class Target:
    """One number to hold.

    Attributes:
        id: The script that measures it, a dot, a name of its own.
        question: What is measured, and against what, at its full size.
        comparison: ``≤``: ours divided by the other's, or ours alone, is at most ``wanted``. ``≥``: the other's divided by
            ours, how many times better we are, is at least ``wanted``.
        wanted: The bound.
        measure: What the verdict is about. CPU where the work is the same and the machine may be busy, wall time where
            waiting is part of the question.
        unit: Of the number.
        why_missed: The known reason where it is missed.
    """

    id: str
    question: str
    comparison: Comparison
    wanted: float
    measure: Measure
    unit: str = TIMES
    why_missed: str = ""

    @property
    def script(self) -> str:
        return self.id.partition(".")[0]


def _calls() -> tuple[Target, ...]:
    return (
        Target("calls.aiohttp", "small JSON call, async, 16 at a time, of bare aiohttp + orjson", "≤", 0.6, "CPU"),
        Target("calls.httpx", "small JSON call, async, 16 at a time, of bare httpx.AsyncClient", "≤", 1 / 15, "CPU"),
        Target("calls.requests", "small JSON call, blocking, 16 at a time, of requests.Session", "≤", 1 / 3, "CPU"),
    )


def _core() -> tuple[Target, ...]:
    lost = "slots, connections, sockets and tasks lost after 100,000 cancelled requests"
    return (
        Target("cancel.pool", f"{lost}, pool alone", "≤", 0, "count", "lost"),
        Target("cancel.hub", f"{lost}, whole hub", "≤", 0, "count", "lost"),
        Target("latency.p50", "median time of a small call while 20 streams saturate the hub, of idle", "≤", 3, "wall"),
    )


def _transfers() -> tuple[Target, ...]:
    killed = "killed with SIGKILL at random moments and run again, 200 times, of session, parts and download"
    return (
        Target(
            "transfers.download",
            "download of 1 GiB into a file, md5 proven, of the slower of md5 alone and curl",
            "≤",
            1.15,
            "wall",
            why_missed="receiving and writing take as much CPU again as the md5, and on two cores the server takes its share too",
        ),
        Target("transfers.memory-down", "growth of the process while 4 GiB come down", "≤", 64, "memory", "MiB"),
        Target("transfers.memory-up", "growth of the process while 4 GiB go up", "≤", 64, "memory", "MiB"),
        Target("kill_resume.wrong", f"runs with a wrong byte; {killed}", "≤", 0, "count", "runs"),
        Target("kill_resume.left", "runs that left a journal or a part file behind", "≤", 0, "count", "runs"),
        Target("kill_resume.beyond", "runs that sent more again than was in flight", "≤", 0, "count", "runs"),
    )


def _voxel51() -> tuple[Target, ...]:
    small, large = "2,000 files of 64 KiB", "8 files of 256 MiB"
    way = "than requests + toolbelt in 16 threads, the official client's way"
    files = "both sides make the files, and where a disk is slow at that it takes longer than all the rest of ours"
    return (
        Target("voxel51.small-up-wall", f"{small} up, faster {way}", "≥", 5, "wall"),
        Target("voxel51.small-up-cpu", f"{small} up, less CPU {way}", "≥", 5, "CPU"),
        Target("voxel51.small-down-wall", f"{small} down, faster {way}", "≥", 5, "wall", why_missed=files),
        Target("voxel51.small-down-cpu", f"{small} down, less CPU {way}", "≥", 5, "CPU", why_missed=files),
        Target("voxel51.large-up", f"{large} up, less CPU {way}", "≥", 1.5, "CPU"),
        Target(
            "voxel51.large-down",
            f"{large} down, less CPU {way}",
            "≥",
            1.5,
            "CPU",
            why_missed="a bare loop that receives and writes takes two fifths to three fifths of the reference's CPU, which "
            "leaves little; ours adds a hop to a thread for every MiB, and, so that a later process can go on, a checksum "
            "and a record of every part and several ranges at a time; resume=False does without these",
        ),
    )


def _flywheel() -> tuple[Target, ...]:
    official = "less CPU than the official client, blocking"
    return (
        Target("flywheel.begin", f"import and a client, {official}", "≥", 3, "CPU"),
        Target("flywheel.iterate", f"10,000 objects through a finder, {official}", "≥", 4, "CPU"),
        Target(
            "flywheel.upload",
            f"500 files of 8 KiB up, {official}",
            "≥",
            5,
            "CPU",
            why_missed="of the quarter of a millisecond that a file takes a third is the kernel's, and the rest has no peak",
        ),
        Target(
            "flywheel.large",
            f"1 GiB up, {official}",
            "≥",
            2,
            "CPU",
            why_missed="over plain http the official client takes hardly more than the kernel does for reading and sending, on "
            "one core; ours takes the md5 of every part, to hold it against the store's etag, and reads ahead in threads",
        ),
    )


def _sticky_pi() -> tuple[Target, ...]:
    way = "faster than the way of the platform's own client"
    return (
        Target("sticky_pi.local", f"put_images of a card, embedded, {way}", "≥", 4, "wall"),
        Target(
            "sticky_pi.remote",
            f"put_images of a card, over HTTP, {way}",
            "≥",
            4,
            "wall",
            why_missed="the server, which decodes every image and makes thumbnails, is the same for both, and busy all the time",
        ),
        Target("sticky_pi.local-again", f"the same card again, embedded, {way}", "≥", 20, "wall"),
        Target(
            "sticky_pi.remote-again",
            f"the same card again, over HTTP, {way}",
            "≥",
            20,
            "wall",
            why_missed="nearly all of it is the log-in, a tenth of a second in which the server checks the password with Argon2id",
        ),
    )


TARGETS: Final = (*_calls(), *_core(), *_transfers(), *_voxel51(), *_flywheel(), *_sticky_pi())


def target_of(name: str) -> Target:
    """Return the target with an id; raises KeyError."""
    for target in TARGETS:
        if target.id == name:
            return target
    raise KeyError(name)
