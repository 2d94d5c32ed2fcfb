"""A test that answers by itself what a program asks."""

import httpx

from asyncclient import Hub, las

CREDENTIALS = las.Credentials("id", "secret", "https://auth.example.org", "https://api.example.org/v1")


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.host == "auth.example.org":
        return httpx.Response(200, json={"access_token": "a-token", "expires_in": 3600})
    assert request.headers["authorization"] == "Bearer a-token"
    return httpx.Response(200, json={"datasets": [{"name": "invoices"}], "nextToken": None})


def test_names() -> None:
    with Hub(transport=httpx.MockTransport(answer)) as hub:
        client = las.Client(CREDENTIALS, hub=hub)
        assert [dataset["name"] for dataset in client.iterate("list_datasets")] == ["invoices"]
