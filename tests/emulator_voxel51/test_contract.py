"""The contract the emulator carries is what the description says, and every operation has a handler."""

from __future__ import annotations

from asyncclient._codegen import contract as codegen
from asyncclient.testing._schema import KEYWORDS, keywords_of
from asyncclient.testing.voxel51.app import read_contract
from asyncclient.testing.voxel51.handlers import HANDLERS
from asyncclient.testing.voxel51.queries import KINDS
from tests.emulator_voxel51.conftest import description


def test_every_operation_has_a_handler() -> None:
    operations = {operation.id for operation in read_contract().operations}
    assert len(operations) == 56
    assert operations == set(HANDLERS)


def test_it_uses_known_keywords_only() -> None:
    source = codegen.contract_of("voxel51", description())
    bodies = [operation["body"] for operation in source["operations"]]
    queries = [schema for operation in source["operations"] for schema in operation["query"].values()]
    for schema in [*bodies, *queries, *source["schemas"].values()]:
        assert keywords_of(schema) <= KEYWORDS


def test_forms_and_texts_in_them() -> None:
    operations = {operation.id: operation for operation in read_contract().operations}
    assert operations["upload_data"].media == "multipart/form-data"
    assert operations["update_data_ttl"].media == "application/x-www-form-urlencoded"
    assert operations["list_data"].media == "application/json"
    job = operations["upload_job_request"].body
    assert job is not None
    assert job["properties"]["file"] == {"$ref": "JobRequest"}
    assert operations["query_application_data"].query["fields"] == {"type": "string"}


def test_fields_are_those_of_the_description() -> None:
    schemas = description()["components"]["schemas"]
    for name, schema in (("analytics", "AnalyticsQuery"), ("data", "DataQuery"), ("jobs", "JobsQuery")):
        assert list(KINDS[name].fields) == schemas[schema]["x-supported-fields"]
