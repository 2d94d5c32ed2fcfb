"""Put a file into a data set, read it back, clean up."""

import base64
import sys

from asyncclient.las import Client  # was: from las import Client

client = Client()

dataset = client.create_dataset(name="invoices")
document = client.create_document(sys.argv[1], dataset_id=dataset["datasetId"])

found = client.get_document(document["documentId"])
print(found.get("contentType"), len(base64.b64decode(found.get("content") or "")), "bytes")

for row in client.list_documents(dataset_id=dataset["datasetId"])["documents"]:
    client.delete_document(row["documentId"])
client.delete_dataset(dataset["datasetId"])
print([row.get("name") for row in client.list_datasets()["datasets"]])
