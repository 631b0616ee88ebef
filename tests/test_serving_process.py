"""The service as a process of its own: how it starts, how it stops, and what it says of wrong use."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

from adkit.deploy import serve
from tests.service_client import TOKEN, dark, encoded

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(fitted, tmp_path_factory):
    return fitted.save(tmp_path_factory.mktemp("process") / "model")


@contextmanager
def started(folder, *options, **environment):
    """A service on a free port, its address, and its log; it is killed in the end."""
    command = [sys.executable, "-m", "adkit", "serve", str(folder), "--port", "0", "--device", "cpu", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    ) as process:
        try:
            line = process.stderr.readline()
            yield process, line.rpartition(" on ")[2].strip(), line
        finally:
            process.kill()


def asked(address, path="/v1/predict", data=None, **headers):
    request = urllib.request.Request(address + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=900) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_service_answers_and_stops_in_order(folder, fitted, tmp_path):
    how = ("--state", str(tmp_path), "--timeout", "900", "--queue", "20")
    with started(folder, *how) as (process, address, line):
        assert address.startswith("http://127.0.0.1:"), line + process.stderr.read()
        image = encoded(dark(), "PNG")
        (tmp_path / "a.png").write_bytes(image)
        status, answer = asked(address, data=image)
        assert (status, answer["score"]) == (200, fitted.predict(tmp_path / "a.png").score)
        found = []
        clients = [threading.Thread(target=lambda: found.append(asked(address, data=image)[0])) for _ in range(8)]
        for one in clients:
            one.start()
        asked(address, "/v2/health/live")
        process.send_signal(signal.SIGTERM)
        for one in clients:
            one.join()
        assert process.wait(900) == 0
        assert set(found) <= {200, 503}  # accepted ones are answered; no connection breaks
        log = [json.loads(text) for text in process.stdout.read().splitlines()]
        assert {"id", "method", "path", "status", "ms"} <= log[0].keys()
        assert json.loads((tmp_path / "monitor_state.json").read_text())["seen"] >= 1
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    "options,message",
    [
        (["--host", "0.0.0.0"], "a token is needed"),
        (["--queue", "0"], "queue must be"),
        (["--policy", "nowhere.json"], "no policy at"),
    ],
)
def test_wrong_use_is_one_line(folder, options, message):
    with started(folder, *options, ADKIT_TOKEN="") as (process, _, line):
        assert process.wait(900) == 2
        assert message in line
        assert process.stderr.read() == ""
        assert process.stdout.read() == ""


def test_a_port_that_is_taken_and_a_detector_that_is_not_there(folder, tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve(folder, port=port) == 2
        assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
    assert serve(tmp_path) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("adkit serve: error: no saved detector at ")  # as every other command says it
    assert complaint.count("\n") == 1
    assert serve(folder, host="0.0.0.0", token="short") == 2
    assert serve(folder, colour="red") == 2
    assert TOKEN not in capsys.readouterr().err
