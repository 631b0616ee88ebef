"""The service's answers: verdicts, refusals, the protocol, the token, and what it must never say."""

import base64
import io
import json

import numpy as np
import pytest

pytest.importorskip("fastapi")

from adkit.deploy import Policy, Settings
from adkit.deploy.serving.access import request_id
from adkit.deploy.serving.settings import read_token
from adkit.scoring.suppression import suppress
from tests.service_client import BEARER, TOKEN, BrightJudge, client, dark, encoded, served_folder, spotted
from tests.test_data_uploads import png


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return served_folder(tmp_path_factory.mktemp("served") / "my detector")


@pytest.fixture(scope="module")
def lines():
    return []


@pytest.fixture(scope="module")
def http(folder, lines):
    with client(folder, BrightJudge(), lines, max_bytes=50_000, max_pixels=10_000, docs=True) as http:
        yield http


def code(response):
    return response.status_code, response.json()["error"]["code"]


# -- verdicts --------------------------------------------------------------------------------------------------------


def test_an_image_is_judged(http):
    answer = http.post("/v1/predict", content=encoded(spotted())).json()
    assert (answer["verdict"], answer["is_anomalous"]) == ("anomalous", True)
    assert answer["score"] == pytest.approx(250 / 255)
    assert answer["regions"] == [{"box": [4, 10, 4, 6], "area": 24, "peak": answer["score"]}]
    assert answer["input"]["height"] == 16
    assert len(answer["input"]["sha256"]) == 64
    assert answer["model"] == {"name": "my-detector", "sha256": "0" * 64}
    assert set(answer["ms"]) == {"queue", "decode", "judge"}
    normal = http.post("/v1/predict?regions=false", content=encoded(dark())).json()
    assert normal["verdict"] == "normal"
    assert "regions" not in normal


def test_a_form_is_judged_alike(http):
    data = encoded(spotted())
    plain = http.post("/v1/predict", content=data).json()
    form = http.post("/v1/predict", files={"file": ("a.png", data, "image/png")}).json()
    assert {**plain, "id": 0, "ms": 0} == {**form, "id": 0, "ms": 0}


@pytest.mark.parametrize(
    "files",
    [
        [("file", ("a.png", b"1")), ("file", ("b.png", b"2"))],
        [("picture", ("a.png", b"1"))],
        [("file", ("a.png", b"1")), ("other", (None, b"2"))],
        [(f"f{i}", (None, b"")) for i in range(5000)],
    ],
)
def test_a_form_has_one_file(http, files):
    assert code(http.post("/v1/predict", files=files)) == (400, "bad_request") or len(files) == 5000
    if len(files) == 5000:
        assert http.post("/v1/predict", files=files).status_code in (400, 413)


def test_damaged_forms(http):
    kind = {"Content-Type": "multipart/form-data"}
    assert code(http.post("/v1/predict", content=b"x", headers=kind)) == (400, "bad_request")
    kind["Content-Type"] += "; boundary=abc"
    for body in (b"x", b"--abc\r\n", b"--abc\r\nContent-Disposition: form-data; name=file\r\n\r\nxyz"):
        assert code(http.post("/v1/predict", content=body, headers=kind)) == (400, "bad_request")


def test_maps_come_as_numbers_or_as_a_picture(http):
    answer = http.post("/v1/predict?map=npy&outlines=true", content=encoded(spotted())).json()
    a_map = np.load(io.BytesIO(base64.b64decode(answer["map"]["data"])))
    np.testing.assert_array_equal(a_map, spotted().astype(np.float32) / 255)
    assert answer["regions"][0]["outline"] == "M10 4h6v4h-6z"
    picture = http.post("/v1/predict?map=png", content=encoded(spotted())).json()["map"]
    assert base64.b64decode(picture["data"])[:4] == b"\x89PNG"
    assert picture["scale"] == [0, 1]


def test_a_dead_camera_is_a_fault(http):
    answer = http.post("/v1/predict", content=encoded(np.zeros((16, 24), np.uint8))).json()
    assert (answer["verdict"], answer["input"]["warnings"]) == ("fault", ["black"])


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content,expected",
    [
        (b"", (400, "empty")),
        (b"GIF89a", (415, "unsupported_format")),
        (encoded(dark(), "GIF"), (415, "unsupported_format")),
        (encoded(dark())[:200], (422, "damaged")),
        (png(13_000, 13_000), (422, "too_many_pixels")),
        (bytes(50_001), (413, "too_large")),
    ],
)
def test_what_is_refused(http, content, expected):
    response = http.post("/v1/predict", content=content)
    assert code(response) == expected
    error = response.json()["error"]
    assert error["id"] == response.headers["x-request-id"]
    assert error["message"]


def test_a_body_in_chunks_is_counted(http):
    read = []

    def endless():
        for _ in range(10_000):
            read.append(1)
            yield bytes(10_000)

    assert code(http.post("/v1/predict", content=endless())) == (413, "too_large")
    assert http.post("/v1/predict", content=iter([encoded(spotted())])).json()["verdict"] == "anomalous"
    assert code(http.post("/v1/predict", content=b"1", headers={"Content-Length": "x"}))[0] in (400, 415)


@pytest.mark.parametrize(
    "query", ["map=jpeg", "regions=perhaps", "image_treshold=1", "map=none&x=1", "outlines=2", "a=b&c=d"]
)
def test_unknown_parameters_are_refused(http, query):
    assert code(http.post(f"/v1/predict?{query}", content=encoded(dark()))) == (400, "bad_request")


def test_paths_and_methods(http):
    assert code(http.get("/nothing")) == (404, "not_found")
    assert code(http.get("/v1/predict")) == (405, "method_not_allowed")
    assert code(http.post("/v1/reload")) == (404, "not_found")
    assert http.get("/docs").status_code == 200
    assert "/v1/predict" in http.get("/openapi.json").json()["paths"]


def test_a_fault_of_ours_says_nothing_of_its_cause(folder):
    class Broken(BrightJudge):
        def judge(self, pixels):
            if self.judged:
                raise RuntimeError(f"secret {folder}")
            return super().judge(pixels)

    lines = []
    with client(folder, Broken(), lines) as http:
        response = http.post("/v1/predict", content=encoded(dark()))
    assert code(response) == (500, "internal")
    assert "secret" not in response.text
    assert "secret" not in json.dumps(lines)
    assert lines[-1]["error"].startswith("RuntimeError at test_serving.py:")


# -- policy ----------------------------------------------------------------------------------------------------------


def test_requests_may_change_the_policy_where_the_service_says_so(http, folder):
    assert code(http.post("/v1/predict?image_threshold=2", content=encoded(dark()))) == (403, "override_forbidden")
    with client(folder, BrightJudge(), allow_overrides=True) as open_http:
        answer = open_http.post("/v1/predict?image_threshold=2&min_area=99", content=encoded(spotted())).json()
        assert (answer["verdict"], answer["threshold"], answer["regions"]) == ("normal", 2, [])
        assert answer["suppressed"][0]["rule"] == "min_area"
        for query in ("image_threshold=nan", "min_area=-1", "min_area=x", "decide=no"):
            assert code(open_http.post(f"/v1/predict?{query}", content=encoded(dark()))) == (400, "bad_request")


# -- the open inference protocol -------------------------------------------------------------------------------------


def infer(http, data, **more):
    text = base64.b64encode(data).decode()
    body = {"id": "mine", "inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": [text]}]} | more
    return http.post("/v2/models/my-detector/infer", json=body)


def test_the_open_inference_protocol(http):
    assert http.get("/v2/health/live").json() == {"live": True}
    assert http.get("/v2/health/ready").json() == {"ready": True}
    assert http.get("/v2").json()["name"] == "adkit"
    assert http.get("/v2/models/my-detector/ready").json() == {"name": "my-detector", "ready": True}
    described = http.get("/v2/models/my-detector").json()
    assert described["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [1]}]
    assert described["parameters"]["threshold"] == 0.8
    answer = infer(http, encoded(spotted())).json()
    found = {output["name"]: output["data"] for output in answer["outputs"]}
    assert answer["id"] == "mine"
    assert (found["verdict"], found["is_anomalous"], found["threshold"]) == (["anomalous"], [True], [0.8])
    (a_map,) = infer(http, encoded(spotted()), outputs=[{"name": "anomaly_map"}]).json()["outputs"]
    assert a_map["shape"] == [16, 24]
    assert max(a_map["data"]) == pytest.approx(250 / 255)


def test_errors_of_the_protocol_are_plain_texts(http):
    for body in (b"", b"{", b"[]", b'{"inputs": []}', b'{"inputs": [{"data": [1]}]}', b"[" * 20_000):
        response = http.post("/v2/models/my-detector/infer", content=body)
        assert response.status_code == 400, body[:20]
        assert isinstance(response.json()["error"], str)
    assert infer(http, b"GIF89a").status_code == 415
    assert infer(http, encoded(dark()), outputs=[{"name": "x"}]).status_code == 400
    assert http.get("/v2/models/other").status_code == 404


# -- the token, ids, and the log -------------------------------------------------------------------------------------


def test_without_the_token_nothing_is_told(folder):
    with client(folder, BrightJudge(), token=TOKEN, host="0.0.0.0") as http:
        for path in ("/v1/monitor", "/metrics", "/v2", "/v2/models/my-detector", "/nothing"):
            for headers in (
                {}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {TOKEN}"},
                {"Authorization": b"Bearer \xff\xfe"}, {"Authorization": f"Bearer {TOKEN[:-1]}"},
            ):  # fmt: skip
                assert http.get(path, headers=headers).status_code == 401, path
        assert code(http.post("/v1/predict", content=encoded(dark()))) == (401, "unauthorized")
        assert http.get("/").status_code == http.get("/v2/health/live").status_code == 200
        assert http.get("/v1/monitor", headers=BEARER).status_code == 200
        assert http.post("/v1/predict", content=encoded(dark()), headers=BEARER).json()["verdict"] == "normal"
    with client(folder, BrightJudge(), token=TOKEN, metrics_public=True) as http:
        assert http.get("/metrics").status_code == 200


def test_ids_are_plain_or_new(http):
    assert http.get("/v2", headers={"X-Request-ID": "line-3.frame_7"}).headers["x-request-id"] == "line-3.frame_7"
    for given in (b"", b"a b", b"x" * 65, b"a\r\nSet-Cookie: b", "ü".encode(), None):
        assert request_id(given).isalnum()


def test_the_log_has_a_line_for_each_request_and_no_secret(http, lines):
    lines.clear()
    http.post("/v1/predict?map=none", content=encoded(spotted()), headers=BEARER)
    (line,) = lines
    assert set(line) == {"id", "method", "path", "status", "verdict", "score", "image", "ms"}
    assert TOKEN not in json.dumps(line)
    http.get("/%0d%0aX?token=abc")
    assert lines[-1]["path"] == "/??X"


def test_no_path_is_in_any_answer(http, folder, lines):
    answers = [
        http.post("/v1/predict", content=encoded(dark())).text, http.post("/v1/predict", content=b"x").text,
        http.get("/v2/models/my-detector").text, http.get("/v1/monitor").text, http.get("/metrics").text,
        http.get("/").text,
    ]  # fmt: skip
    assert not [text for text in [*answers, json.dumps(lines)] if str(folder) in text or str(folder.parent) in text]


# -- metrics, monitor, page ------------------------------------------------------------------------------------------


def test_metrics_have_a_fixed_set_of_labels(http):
    def names():
        text = http.get("/metrics").text
        return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}

    http.post("/v1/predict", content=encoded(spotted()))
    http.get("/nothing")
    before = names()
    for i in range(50):
        http.get(f"/v2/models/{i}")
        http.get(f"/{i}", headers={"X-Request-ID": str(i)})
    assert names() == before
    assert 'adkit_verdicts_total{verdict="anomalous"}' in before
    assert all(name.startswith("adkit_") for name in before)
    assert any(name.startswith('adkit_model_info{model="000000000000"') for name in before)


def test_the_monitor_sees_what_was_judged(folder, tmp_path):
    with client(folder, BrightJudge(), state=tmp_path, window=20) as http:
        for i in range(40):
            http.post("/v1/predict", content=encoded(spotted(i)))
        state = http.get("/v1/monitor").json()
        assert (state["seen"], state["verdicts"]) == (40, {"anomalous": 40})
        assert {alert["kind"] for alert in state["alerts"]} >= {"score_drift", "alarm_rate"}
        assert 'adkit_alerts_total{kind="alarm_rate"}' in http.get("/metrics").text
    assert json.loads((tmp_path / "monitor_state.json").read_text())["seen"] == 40
    with client(folder, BrightJudge(), state=tmp_path, window=20) as http:
        assert http.get("/v1/monitor").json()["seen"] == 40


def test_the_page_asks_nobody_else(http):
    response = http.get("/")
    assert "Drop an image here" in response.text
    assert "connect-src 'self'" in response.headers["content-security-policy"]
    assert not [word for word in ("http:", "https:", "//cdn") if word in response.text.replace("http://www.w3.org", "")]


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change,message",
    [
        ({"host": "0.0.0.0"}, "a token is needed"),
        ({"host": "example.org"}, "a token is needed"),
        ({"token": "short"}, "at least 16"),
        ({"token": "ü" * 20}, "ASCII"),
        ({"queue": 0}, "queue must be"),
        ({"timeout": 0}, "timeout must be"),
        ({"port": 70_000}, "port must be"),
        ({"max_pixels": True}, "max_pixels must be"),
        ({"max_pixels": 0}, "max_pixels must be"),
        ({"reload": True}, "reloading needs a token"),
    ],
)
def test_settings_that_are_refused(folder, change, message):
    with pytest.raises(ValueError, match=message):
        Settings(detector=folder, **change)


def test_settings_that_are_not(folder, tmp_path, monkeypatch):
    assert Settings(detector=folder, host="::1").name == "my-detector"
    assert Settings(detector=folder, host="0.0.0.0", no_auth=True).token is None
    assert TOKEN not in repr(Settings(detector=folder, token=TOKEN))
    with pytest.raises(FileNotFoundError, match="no saved detector"):
        Settings(detector=tmp_path)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token(tmp_path / "token") == TOKEN
    monkeypatch.setenv("ADKIT_TOKEN", "from the environment")
    assert read_token() == "from the environment"
    with pytest.raises(ValueError, match="cannot be read"):
        read_token(tmp_path / "none")


def test_an_image_may_be_as_large_as_memory_allows(folder):
    whole, pixels = {"normals": {"size": [200, 1000]}, "preprocessing": {"resize": None, "tile": None}}, []
    for change in ({}, {"preprocessing": {"tile": [64, 64]}}, {"normals": {}}, {"normals": {"size": [10, 10]}}):
        pixels.append(Settings(detector=folder).limits(whole | change).pixels)
    assert pixels == [1_600_000, 32_000_000, 32_000_000, 1_000_000]
    assert Settings(detector=folder, max_pixels=7).limits(whole).pixels == 7


def test_more_bits_than_the_training_had_are_refused(folder):
    judge = BrightJudge()
    judge.description["preprocessing"] = {"bits": 12}
    with client(folder, judge) as http:
        deep = encoded(dark().astype(np.uint16) * 20)
        assert http.post("/v1/predict", content=deep).status_code == 200
        assert code(http.post("/v1/predict", content=encoded(dark().astype(np.uint16) * 600))) == (
            422,
            "unsupported_mode",
        )


def test_a_policy_of_the_service_is_the_one_beside_the_detector(http, folder):
    policy = Policy.load(folder)
    assert http.service.model.policy == policy
    judged = BrightJudge().judge(spotted()[None])
    assert (
        http.post("/v1/predict", content=encoded(spotted())).json()["policy"] == suppress(judged, policy).policy_sha256
    )
