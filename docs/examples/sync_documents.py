"""Upload a file from a script, read it back, delete it."""

import sys

from asyncclient.las import Client, NotFound

client = Client()  # the same names and arguments as the official client

document = client.create_document(sys.argv[1])
document_id = document["documentId"]

size_bytes = client.download_document(document_id, sys.argv[2])
print("came back:", size_bytes, "bytes")

client.delete_document(document_id)
try:
    client.get_document(document_id)
except NotFound as error:
    print("deleted:", error.status)
