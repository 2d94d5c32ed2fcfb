"""Let an emulator fail in several ways, and see what a program notices of it."""

from typing import Any

from asyncclient import Hub, errors, las
from asyncclient.testing import serve

with serve("las") as server, Hub() as hub:
    credentials = las.Credentials(**server.credentials())
    client = las.Client(credentials, hub=hub)

    # The service is busy, twice: nobody notices.
    server.state.fail_next(503, path="/datasets", times=2)
    client.list_datasets()
    print("asked", server.state.counters["list_datasets"], "times, repeated", hub.statistics().retries)

    # It asks for patience. That is obeyed too.
    server.state.fail_next(429, path="/datasets", headers={"Retry-After": "1"})
    client.list_datasets()
    print("repeated", hub.statistics().retries, "in all")

    # What cannot succeed is not repeated. The exception says what happened.
    try:
        client.get_document("las:document:" + "0" * 32)
    except las.NotFound as error:
        print("not found:", error.status, error.attempts, "attempt")

    # A client that shall not repeat anything.
    impatient = client.with_options(max_retries=0)
    server.state.fail_next(503, path="/datasets")
    try:
        impatient.list_datasets()
    except errors.ServerError as error:
        print("refused:", error.status)

    # One bad file among many: the first error would end the map, so the function gives it back instead.
    def upload(content: bytes) -> Any:
        try:
            return client.create_document(las.RawBytes(content))["documentId"]
        except errors.AsyncClientError as error:
            return error

    files = [b"%PDF-1.4 one", b"", b"%PDF-1.4 three"]
    for content, result in zip(files, hub.map(upload, files), strict=True):
        print(len(content), "bytes:", type(result).__name__)

# Nobody is there any more. The error says whether anything was sent.
try:
    las.Client(credentials, max_retries=0).list_datasets()
except errors.TransportError as error:
    print(type(error).__name__, "request sent:", error.request_sent)
