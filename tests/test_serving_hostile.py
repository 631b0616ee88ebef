"""Requests that were made to hurt: what they ask is refused, and nobody else waits for it."""

import asyncio
import base64
import json

import numpy as np
import pytest

pytest.importorskip("fastapi")

from adkit.deploy.serving import requests
from adkit.deploy.serving.body import read_body
from adkit.deploy.serving.errors import ServiceError
from tests.service_client import BrightJudge, client, encoded, served_folder, spotted


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    folder = served_folder(tmp_path_factory.mktemp("served") / "line")
    with client(folder, BrightJudge()) as http:
        yield http


def infer(http, outputs):
    text = base64.b64encode(encoded(spotted())).decode()
    inputs = [{"name": "image", "shape": [1], "datatype": "BYTES", "data": [text]}]
    return http.post("/v2/models/line/infer", json={"inputs": inputs, "outputs": outputs})


@pytest.mark.parametrize(
    "outputs",
    [
        [{"name": "anomaly_map"}] * 2,
        [{"name": "score"}, {"name": "verdict"}, {"name": "score"}],
        [{"name": ["score"]}],
        [{"name": {}}],
        [{"name": None}],
    ],
)
def test_an_output_is_asked_for_once_by_its_name(http, outputs):
    response = infer(http, outputs)
    assert response.status_code == 400
    assert "each output is asked for once" in response.json()["error"]


def test_all_outputs_at_once_are_one_answer_in_json(http):
    names = ["anomaly_map", "verdict", "is_anomalous", "threshold", "score"]
    answer = infer(http, [{"name": name} for name in names])
    assert answer.headers["content-type"] == "application/json"
    found = {output["name"]: output for output in answer.json()["outputs"]}
    assert list(found) == names
    a_map = np.float32(found["anomaly_map"]["data"]).reshape(found["anomaly_map"]["shape"])
    np.testing.assert_array_equal(a_map, spotted().astype(np.float32) / 255)
    assert found["score"]["data"] == [max(found["anomaly_map"]["data"])]
    assert set(json.loads(answer.text)) == {"model_name", "model_version", "id", "outputs"}


def test_a_form_is_taken_apart_beside_the_loop(http, monkeypatch):
    on_loop, whole = [], requests.file_of_form

    def watched(body, kind):
        try:
            asyncio.get_running_loop()
            on_loop.append(True)
        except RuntimeError:
            on_loop.append(False)
        return whole(body, kind)

    monkeypatch.setattr(requests, "file_of_form", watched)
    assert http.post("/v1/predict", files={"file": ("a.png", encoded(spotted()))}).json()["verdict"] == "anomalous"
    assert on_loop == [False]


def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_fault_of_ours():
    from starlette.requests import ClientDisconnect

    async def leaving():
        yield b"123"
        raise ClientDisconnect

    async def read():
        return await read_body(leaving(), None, 100, 900.0, asyncio.get_running_loop().time() + 900)

    with pytest.raises(ServiceError) as caught:
        asyncio.run(read())
    assert (caught.value.code, caught.value.status) == ("client_gone", 499)


@pytest.mark.parametrize("path", ["/v1/predict", "/v2/models/line/infer"])
def test_nor_is_one_that_leaves_a_path(http, path):
    sent = []

    async def leave():
        messages = iter([{"type": "http.request", "body": b"12", "more_body": True}, {"type": "http.disconnect"}])

        async def receive():
            return next(messages)

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        await http.app(scope, receive, send)

    asyncio.run(leave())
    assert sent[0]["status"] == 499
