"""Every official name is there, takes the official arguments, and has an async form where it waits."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

# Class or function, and the members of the class.
MEMBERS = {
    "client.BaseClient": "delete_cache get_images_with_uid_annotations_series get_ml_bundle_dir get_tiled_tuboid_series_itc_labels local_dir put_images put_ml_bundle_dir put_tiled_tuboids",
    "client.Cache": "add delete get_cached get_hashes sync",
    "client.LocalClient": "",
    "client.RemoteAPIConnector": "delete_images delete_projects delete_tiled_tuboids delete_users get_image_series get_images get_images_to_annotate get_project_permissions get_project_series get_projects get_tiled_tuboid_series get_token get_uid_annotations get_uid_annotations_series get_users put_itc_labels put_project_permissions put_project_series put_projects put_uid_annotations put_users",
    "client.RemoteAPIException": "",
    "client.RemoteClient": "",
    "configuration.BaseAPIConf": "",
    "configuration.LocalAPIConf": "",
    "configuration.RemoteAPIConf": "",
    "configuration.RequiredConfVar": "",
    "image_parser.ImageParser": "file_blob filename thumbnail thumbnail_mini",
    "specifications.BaseAPI": "delete_images delete_projects delete_tiled_tuboids delete_users get_image_series get_images get_images_to_annotate get_project_permissions get_project_series get_projects get_tiled_tuboid_series get_uid_annotations get_uid_annotations_series get_users put_itc_labels put_project_permissions put_project_series put_projects put_uid_annotations put_users verify_password",
    "specifications.BaseAPISpec": "delete_images delete_projects delete_tiled_tuboids delete_users get_image_series get_images get_images_to_annotate get_project_permissions get_project_series get_projects get_tiled_tuboid_series get_token get_uid_annotations get_uid_annotations_series get_users put_itc_labels put_project_permissions put_project_series put_projects put_uid_annotations put_users",
    "specifications.LocalAPI": "get_token",
    "specifications.RemoteAPI": "get_token put_images",
    "specifications.set_sqlite_pragma": "",
    "storage.BaseStorage": "delete_image_files delete_tiled_tuboid_files get_ml_bundle_file_list get_ml_bundle_upload_links get_url_for_image get_urls_for_tiled_tuboids local_bundle_files_info store_image_files store_tiled_tuboid",
    "storage.DiskStorage": "delete_image_files delete_tiled_tuboid_files get_ml_bundle_file_list get_url_for_image get_urls_for_tiled_tuboids store_image_files store_tiled_tuboid",
    "storage.S3Storage": "delete_image_files delete_tiled_tuboid_files get_ml_bundle_file_list get_url_for_image get_urls_for_tiled_tuboids store_image_files store_tiled_tuboid",
    "utils.URLOrFileOpen": "",
    "utils.chunker": "",
    "utils.datetime_to_string": "",
    "utils.json_inputs_to_python": "",
    "utils.json_io_converter": "",
    "utils.json_out_parser": "",
    "utils.md5": "",
    "utils.multipart_etag": "",
    "utils.profiled": "",
    "utils.python_inputs_to_json": "",
    "utils.string_to_datetime": "",
}
ASYNC = ("BaseClient", "LocalClient", "RemoteAPIConnector", "RemoteClient")
ASYNC_API = ("BaseAPI", "BaseAPISpec", "LocalAPI", "RemoteAPI", "BaseStorage", "DiskStorage", "S3Storage")
OPENAPI = Path(__file__).parents[2] / "asyncclient" / "sticky_pi" / "openapi.json"


def find(name: str) -> Any:
    module, _, attribute = name.partition(".")
    return getattr(importlib.import_module(f"asyncclient.sticky_pi.{module}"), attribute)


def test_all_are_listed() -> None:
    assert (
        sum(1 + len(members.split()) for members in MEMBERS.values()) == 136
    )  # one more than a release declares: BaseAPISpec.get_project_series


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_is_there(name: str) -> None:
    found = find(name)
    assert found.__doc__
    missing = [member for member in MEMBERS[name].split() if not hasattr(found, member)]
    assert not missing


@pytest.mark.parametrize("name", [f"client.{name}" for name in ASYNC])
def test_async_forms_have_the_same_arguments(name: str) -> None:
    module, _, cls = name.partition(".")
    blocking, waiting = find(name), find(f"{module}.Async{cls}")
    for member in MEMBERS[name].split():
        ours, theirs = getattr(blocking, member), getattr(waiting, member)
        if isinstance(ours, property):
            assert isinstance(theirs, property)
            continue
        assert inspect.iscoroutinefunction(theirs), member
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)


@pytest.mark.parametrize("name", [f"{module}.{cls}" for module in ("specifications", "storage") for cls in ASYNC_API])
def test_the_api_has_async_forms_too(name: str) -> None:
    module, _, cls = name.partition(".")
    if name not in MEMBERS:
        return
    waiting = find(f"{module}.Async{cls}")
    for member in MEMBERS[name].split():
        assert hasattr(waiting, member), member


def operations() -> dict[str, Any]:
    description = json.loads(OPENAPI.read_text("utf-8"))
    return {path: methods["post"] for path, methods in description["paths"].items()}


@pytest.mark.parametrize("operation", operations().values(), ids=lambda operation: operation["operationId"])
def test_operations_have_the_described_arguments(operation: dict[str, Any]) -> None:
    for cls in ("AsyncRemoteClient", "AsyncLocalClient"):
        method = getattr(find(f"client.{cls}"), operation["operationId"], None)
        if operation["operationId"] == "_put_tiled_tuboids":
            continue  # one folder of a tuboid is one request: a private matter
        parameters = list(inspect.signature(method).parameters.values())[1:]  # type: ignore[arg-type]
        for parameter, described in zip(parameters, operation["x-python-params"], strict=True):
            assert parameter.name == described["name"]
            assert (parameter.default is inspect.Parameter.empty) == described["required"]
            if not described["required"]:
                assert parameter.default == described["default"]


def test_requests_go_where_the_description_says() -> None:
    from asyncclient.sticky_pi._connector import _endpoint

    for path, operation in operations().items():
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            assert _endpoint(operation["operationId"]).path == path
