"""A test of a program that uses asyncclient, with the fixture that the pytest plugin brings."""

from asyncclient import las
from asyncclient.testing import Server


def test_the_second_try_succeeds(asyncclient_las: Server) -> None:
    client = las.Client(las.Credentials(**asyncclient_las.credentials()))
    client.create_dataset(name="invoices")
    asyncclient_las.state.fail_next(503, path="/datasets")

    names = [dataset["name"] for dataset in client.iterate("list_datasets")]

    assert names == ["invoices"]
    assert asyncclient_las.state.counters["list_datasets"] == 2
