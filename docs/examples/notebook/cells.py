"""The cells of the pages about notebooks."""

# --8<-- [start:blocking]
from asyncclient import Hub, las

hub = Hub()
client = las.Client(hub=hub)
dataset = client.create_dataset(name="from a notebook")
dataset["name"]
# --8<-- [end:blocking]

# --8<-- [start:map]
from pathlib import Path


def upload(path):
    return client.create_document(path, dataset_id=dataset["datasetId"])["documentId"]


uploaded = list(hub.map(upload, Path("invoices").glob("*.pdf"), concurrency=8))
len(uploaded)
# --8<-- [end:map]

# --8<-- [start:await]
from asyncclient import AsyncHub

async with AsyncHub() as async_hub:
    documents = las.AsyncClient(hub=async_hub)
    rows = [row async for row in documents.iterate("list_documents", dataset_id=dataset["datasetId"])]

len(rows)
# --8<-- [end:await]

# --8<-- [start:tqdm]
from asyncclient import Limits, voxel51
from asyncclient.progress import tqdm_progress

slow_hub = Hub(limits=Limits(max_bandwidth=16e6))
videos = voxel51.API(hub=slow_hub)

data_id = videos.upload_data("clip.mp4", on_progress=tqdm_progress())["id"]
videos.download_data(data_id, "copy.mp4", on_progress=tqdm_progress(desc="copy.mp4"))
# --8<-- [end:tqdm]

# --8<-- [start:rich]
from asyncclient.progress import rich_progress

videos.download_data(data_id, "copy.mp4", on_progress=rich_progress())
# --8<-- [end:rich]

# --8<-- [start:many]
from tqdm.auto import tqdm

records = list(tqdm(hub.map(client.get_document, uploaded), total=len(uploaded)))
len(records)
# --8<-- [end:many]

# --8<-- [start:interrupt]
videos.download_data(data_id, "again.mp4")
# --8<-- [end:interrupt]

# --8<-- [start:resume]
before = slow_hub.statistics().bytes_received
videos.download_data(data_id, "again.mp4")
slow_hub.statistics().bytes_received - before < Path("clip.mp4").stat().st_size
# --8<-- [end:resume]
