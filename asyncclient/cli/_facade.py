"""A few files more through the blocking client, as a script would do it: it has a hub of its own, in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from asyncclient import Hub, las
from asyncclient.cli._counts import counted
from asyncclient.cli._demo_record import Part
from asyncclient.cli._demo_work import EXPECTED
from asyncclient.cli._errors import words_of
from asyncclient.cli._files import Item, md5_of
from asyncclient.errors import EmptyRequestError

__all__ = ["run"]


def run(part: Part, credentials: Mapping[str, str], items: Sequence[Item], back: Path) -> None:
    """Upload, read back, list and delete, one file after the other.

    Args:
        part: Where it is noted.
        credentials: Of the emulator.
        items: The files.
        back: Folder for the files that come back.
    """
    sent: set[str] = set()
    try:
        with Hub(trust_env=False) as hub, part.step("blocking client") as step:
            client = las.Client(las.Credentials(**credentials), hub=hub)
            dataset_id = client.create_dataset(name="asyncclient demo, blocking")["datasetId"]
            for item in items:
                if (document_id := _there_and_back(part, client, dataset_id, item, back / "blocking")) is not None:
                    sent.add(document_id)
                    step.files += 1
            listed = {row["documentId"] for row in client.iterate("list_documents", dataset_id=dataset_id)}
            client.delete_dataset(dataset_id, delete_documents=True)
    except EXPECTED as error:
        part.problems.append(f"blocking client: {words_of(error)}")
        return
    if listed != sent:
        part.problems.append(f"blocking client: {counted(len(sent), 'file')} sent, {len(listed)} listed")
    elif sent:
        part.notes.append(
            f"{counted(len(sent), 'file')} more went there and back through the blocking client, which has its own hub."
        )


def _there_and_back(part: Part, client: las.Client, dataset_id: str, item: Item, target: Path) -> str | None:
    """Upload one file and read it back; return the id of its document, None if it was refused."""
    try:
        document_id: str = client.create_document(item.path, dataset_id=dataset_id)["documentId"]
        client.download_document(document_id, target)
        if md5_of(target) != md5_of(item.path):
            part.problems.append(f"{item.name}: came back different through the blocking client")
    except EmptyRequestError:  # the async client has noted it
        return None
    except EXPECTED as error:
        part.problems.append(f"{item.name}: {words_of(error)}")
        return None
    return document_id
