"""Upload the PDF files of a folder, sixteen at a time, and list what the service has."""

import asyncio
import sys
from pathlib import Path

from asyncclient import AsyncHub, las


async def main(folder: Path) -> None:
    async with AsyncHub() as hub:  # one connection pool for all clients of the program
        client = las.AsyncClient(hub=hub)  # credentials from the environment or ~/.lucidtech
        dataset = await client.create_dataset(name=folder.name)
        dataset_id = dataset["datasetId"]

        async def upload(path: Path) -> str:
            document = await client.create_document(path, dataset_id=dataset_id)
            return document["documentId"]

        async for document_id in hub.map(upload, folder.glob("*.pdf"), concurrency=16):
            print("uploaded", document_id)

        async for row in client.iterate("list_documents", dataset_id=dataset_id):
            print("listed", row["documentId"], row["contentMD5"])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
