"""A few files more through the blocking client, as a script would do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asyncclient import Hub, las
from asyncclient.cli._files import Item, md5_of
from asyncclient.cli._round_trip import Trip
from asyncclient.errors import AsyncClientError, EmptyRequestError

__all__ = ["run"]


def run(trip: Trip, credentials: Mapping[str, str], items: Sequence[Item]) -> None:
    """Upload, read back, list and delete, one file after the other."""
    with Hub() as hub:
        client = las.Client(las.Credentials(**credentials), hub=hub)
        size = sum(item.size_bytes for item in items)
        with trip.outcome.stage("blocking client, all", hub, trip.progress, len(items), size) as stage:
            dataset_id = client.create_dataset(name="asyncclient demo, blocking")["datasetId"]
            sent = set()
            for item in items:
                document_id = _there_and_back(trip, client, dataset_id, item)
                if document_id is not None:
                    sent.add(document_id)
                    trip.progress.advance(stage, item.size_bytes)
            listed = {row["documentId"] for row in client.iterate("list_documents", dataset_id=dataset_id)}
            client.delete_dataset(dataset_id, delete_documents=True)
        if listed != sent:
            trip.outcome.problems.append(f"blocking client: {len(sent)} files sent, {len(listed)} listed")


def _there_and_back(trip: Trip, client: las.Client, dataset_id: str, item: Item) -> str | None:
    """Upload one file and read it back; return the id of its document, None if it was refused."""
    target = trip.back / "blocking"
    try:
        document_id: str = client.create_document(item.path, dataset_id=dataset_id)["documentId"]
        client.download_document(document_id, target)
        if md5_of(target) != md5_of(item.path):
            trip.outcome.problems.append(f"{item.name}: came back different through the blocking client")
    except EmptyRequestError:  # the outcome has it from the first round trip
        return None
    except (AsyncClientError, OSError) as error:
        trip.outcome.problems.append(f"{item.name}: {error}")
        return None
    return document_id
