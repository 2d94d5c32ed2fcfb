"""Faults happen to the requests they are meant for, as often as asked, and the record tells what happened."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from asyncclient.testing._faults import Failure, FaultPlan, Faults
from tests.emulator.conftest import Api


def failure(status: int) -> Failure:
    return Failure(status, {}, None, applied=False)


def test_rules_are_used_up_in_order() -> None:
    faults = Faults()
    faults.add(method="get", path="/a*", times=2, failure=failure(500))
    faults.add(method=None, path=None, times=1, failure=failure(429))
    faults.add(method=None, path=None, times=None, delay_s=0.5)
    faults.add(method=None, path="/abc", times=None, delay_s=0.25)
    assert len(faults) == 4
    assert faults.take("POST", "/abc") == FaultPlan(0.75, failure(429))
    assert faults.take("GET", "/v1/abc", "/abc") == FaultPlan(0.75, failure(500))
    assert faults.take("GET", "/other") == FaultPlan(0.5)
    assert faults.take("GET", "/a") == FaultPlan(0.5, failure(500))
    assert faults.take("GET", "/a") == FaultPlan(0.5)
    faults.clear()
    assert faults.take("GET", "/a") == FaultPlan()


def test_a_second_failure_waits_for_the_next_request() -> None:
    faults = Faults()
    for status in (500, 502):
        faults.add(method=None, path=None, times=1, failure=failure(status))
        faults.add(method=None, path=None, times=1, cut_after_bytes=status)
    assert faults.take("GET", "/") == FaultPlan(0, failure(500), 500)
    assert faults.take("GET", "/") == FaultPlan(0, failure(502), 502)


@pytest.mark.parametrize("times", [0, -1])
def test_a_fault_that_never_happens_is_refused(times: int) -> None:
    with pytest.raises(ValueError, match="times must be 1 or more"):
        Faults().add(method=None, path=None, times=times)


def test_fail_next(api: Api) -> None:
    api.state.fail_next(times=2, path="/documents", headers={"Retry-After": "1"})
    for _ in range(2):
        response = api.send("POST", "/documents", {})
        assert (response.status_code, response.json()) == (503, {"message": "Service Unavailable"})
        assert response.headers["retry-after"] == "1"
        api.ok("GET", "/assets")
    assert api.ok("POST", "/documents", {})["documentId"]
    assert len(api.state.tables.documents) == 1
    assert api.state.counters["create_document"] == 3


def test_both_texts_of_429(api: Api) -> None:
    api.state.fail_next(429)
    assert api.refused(429, "GET", "/roles") == "Too Many Requests"
    api.state.fail_next(429, body={"message": "Limit Exceeded"})
    assert api.refused(429, "GET", "/roles") == "Limit Exceeded"


@pytest.mark.parametrize("body", ["<html>", b"<html>"])
def test_bodies_that_are_not_json(api: Api, body: str | bytes) -> None:
    api.state.fail_next(502, body=body, method="GET", times=None)
    assert api.send("GET", "/roles").text == "<html>"
    api.state.clear_faults()
    api.ok("GET", "/roles")


def test_an_error_after_the_act(api: Api) -> None:
    api.state.fail_next(504, path="/datasets", applied=True)
    assert api.send("POST", "/datasets", {}).status_code == 504
    assert len(api.ok("GET", "/datasets")["datasets"]) == 1


def test_faults_of_token_endpoint_and_file_server(api: Api) -> None:
    api.state.fail_next(500, path="/token")
    assert api.token().status_code == 500
    document = api.ok("POST", "/documents", {})
    api.state.fail_next(500, path="/fileserver/*", method="PUT")
    assert api.http.put(document["fileUrl"], content=b"%PDF").status_code == 500
    assert api.http.put(document["fileUrl"], content=b"%PDF").status_code == 200


def test_delay(api: Api) -> None:
    api.state.delay(0.2, path="/roles")
    before = time.monotonic()
    api.ok("GET", "/roles")
    assert time.monotonic() - before >= 0.2
    api.state.delay(60, path="/roles")
    with pytest.raises(httpx.ReadTimeout):
        api.http.get("/v1/roles", timeout=0.05)


def test_cut_next(api: Api) -> None:
    document = api.ok("POST", "/documents", {})
    api.http.put(document["fileUrl"], content=b"%PDF" * 1000)
    api.state.cut_next(100, method="GET", path="/fileserver/*")
    with pytest.raises(httpx.RemoteProtocolError), api.http.stream("GET", document["fileUrl"]) as response:
        assert response.headers["content-length"] == "4000"
        response.read()
    assert len(api.http.get(document["fileUrl"]).content) == 4000


def test_the_record(make_api: Callable[..., Api]) -> None:
    api = make_api(keep_requests=3)
    api.send("POST", "/secrets", {"data": {"password": "s3cret"}})
    api.send("GET", "/models/las%3Amodel%3Anone", statisticsLastNDays=7)
    api.http.get("/nowhere")
    api.sign_in()
    assert [request.operation for request in api.state.requests] == ["get_model", None, "token"]
    model, nowhere, token = api.state.requests
    assert (model.method, model.status, model.query) == ("GET", 404, (("statisticsLastNDays", "7"),))
    assert model.path == "/v1/models/las:model:none"
    assert model.raw_path == "/v1/models/las%3Amodel%3Anone"
    assert model.headers["authorization"] == "Bearer"
    assert token.headers["authorization"] == "Basic"
    assert nowhere.status == 404
    assert api.state.counters == {"token": 2, "create_secret": 1, "get_model": 1}
    everything = repr(api.state.requests) + repr(list(api.state.tables.secrets))
    assert "s3cret" not in everything
    assert api.http.headers["authorization"].split()[1] not in everything


def test_reset(api: Api) -> None:
    document = api.ok("POST", "/documents", {})
    api.http.put(document["fileUrl"], content=b"%PDF" * 1_000_000)
    api.state.fail_next()
    api.state.reset()
    assert not api.state.requests
    assert not api.state.counters
    api.refused(403, "GET", "/documents")
    api.sign_in()
    assert api.ok("GET", "/documents")["documents"] == []
    assert api.ok("GET", "/organizations/me")["monthlyNumberOfDocumentsCreated"] == 0
