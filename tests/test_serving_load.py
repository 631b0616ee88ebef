"""Many clients at once, without a clock: what the queue takes, what it sends away, and what is dropped."""

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("fastapi")

from adkit import load_detector
from adkit.deploy.serving.body import read_body
from adkit.deploy.serving.errors import ServiceError
from adkit.deploy.serving.work import Queue
from tests.service_client import BEARER, TOKEN, BrightJudge, client, dark, encoded, served_folder, spotted


@pytest.fixture
def folder(tmp_path):
    return served_folder(tmp_path / "model")


def wait_until(holds):
    """Ask until it holds; other threads bring it about."""
    for _ in range(100_000):
        if holds():
            return
        asyncio.run(asyncio.sleep(0.005))
    raise AssertionError("it never came about")


def test_twenty_clients_get_twenty_right_answers(folder):
    images = [encoded(spotted(i) if i % 3 == 0 else dark(i)) for i in range(20)]
    with client(folder, BrightJudge(), queue=20) as http, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda data: http.post("/v1/predict", content=data), images))
    assert [answer.status_code for answer in answers] == [200] * 20
    expected = ["anomalous" if i % 3 == 0 else "normal" for i in range(20)]
    assert [answer.json()["verdict"] for answer in answers] == expected
    assert len({answer.json()["id"] for answer in answers}) == 20


def test_a_full_queue_says_when_to_come_again_and_the_live_check_goes_on(folder):
    judge = BrightJudge()
    with client(folder, judge, queue=2) as http, ThreadPoolExecutor(2) as pool:
        judge.go.clear()
        waiting = [pool.submit(http.post, "/v1/predict", content=encoded(dark(i))) for i in range(2)]
        wait_until(lambda: http.service.queue.length == 2)
        refused = http.post("/v1/predict", content=encoded(dark(9)))
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"]["limit"] == 2
        assert http.get("/v2/health/live").status_code == http.get("/v2/health/ready").status_code == 200
        assert "adkit_queue_length 2.0" in http.get("/metrics").text
        judge.go.set()
        assert [one.result().status_code for one in waiting] == [200, 200]
        wait_until(lambda: http.service.queue.length == 0)
        assert http.post("/v1/predict", content=encoded(dark(9))).status_code == 200


def test_a_stopping_service_takes_nothing_new(folder):
    with client(folder, BrightJudge()) as http:
        http.service.draining = True
        response = http.post("/v1/predict", content=encoded(dark()))
        assert (response.status_code, response.json()["error"]["code"]) == (503, "draining")
        ready = http.get("/v2/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"ready": False, "reason": "draining"})
        assert http.get("/v2/health/live").status_code == 200


def test_a_model_is_changed_over_and_a_broken_one_is_not(fitted, fitted_vae, tmp_path):
    folder = fitted.save(tmp_path / "model")
    with client(folder, token=TOKEN, reload=True) as http:
        http.headers.update(BEARER)
        before = http.get("/v2/models/model").json()
        image = encoded((255 * np.random.default_rng(0).random((32, 64))).astype(np.uint8))
        score = http.post("/v1/predict", content=image).json()["score"]
        good = (folder / "detector.json").read_bytes()
        (folder / "detector.json").write_text("{")
        failed = http.post("/v1/reload")
        assert (failed.status_code, failed.json()["error"]["code"]) == (409, "reload_failed")
        assert str(folder) not in failed.text
        (folder / "detector.json").write_bytes(good)
        (folder / "link").symlink_to(tmp_path)
        assert http.post("/v1/reload").status_code == 409
        (folder / "link").unlink()
        assert http.post("/v1/predict", content=image).json()["score"] == score
        fitted_vae.save(folder)
        told = http.post("/v1/reload").json()
        after = http.get("/v2/models/model").json()
        assert told["old"]["sha256"].startswith(before["versions"][0])
        assert told["new"]["sha256"].startswith(after["versions"][0])
        assert after["parameters"]["method"] == "VAEDetector"
        assert http.post("/v1/predict", content=image).json()["score"] != score


def test_a_model_that_was_changed_over_is_freed(fitted, tmp_path):
    folder = fitted.save(tmp_path / "model")
    with client(folder, token=TOKEN, reload=True) as http:
        http.headers.update(BEARER)
        gone = []
        for i in range(3):
            model = http.service.model
            gone += [weakref.ref(one) for one in (model, model.judge, model.judge.detector, http.service.monitor)]
            del model
            assert http.post("/v1/predict", content=encoded(dark(i))).status_code == 200
            assert http.post("/v1/reload").status_code == 200
            assert http.post("/v1/predict", content=encoded(dark(i + 9))).status_code == 200
        gc.collect()
        assert [one() for one in gone] == [None] * 12


def test_all_models_are_loaded_by_one_thread(folder):
    with client(folder, BrightJudge(), token=TOKEN, reload=True) as http:
        http.headers.update(BEARER)
        load, threads = http.service.load, []

        def noted():
            threads.append(threading.get_ident())
            return load()

        http.service.load = noted
        with ThreadPoolExecutor(4) as pool:
            assert {one.status_code for one in pool.map(lambda _: http.post("/v1/reload"), range(12))} == {200}
        assert (len(threads), len(set(threads))) == (12, 1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
def test_the_service_says_to_the_last_bit_what_predict_says(fitted, tmp_path, kind):
    import base64
    import io

    folder = fitted.save(tmp_path / "model")
    rng = np.random.default_rng(1)
    with client(folder) as http:
        for shape in ((32, 64), (50, 41, 3)):
            path = tmp_path / f"{len(shape)}.{kind.lower()}"
            path.write_bytes(encoded(rng.integers(0, 256, shape, dtype=np.uint8), kind))
            answer = http.post("/v1/predict?map=npy", content=path.read_bytes()).json()
            told = load_detector(folder, "cpu").predict(path)
            assert answer["score"] == told.score
            a_map = np.load(io.BytesIO(base64.b64decode(answer["map"]["data"])))
            np.testing.assert_array_equal(a_map, told.anomaly_map)


# -- the queue and the body alone ------------------------------------------------------------------------------------


def code_of(work) -> str:
    with pytest.raises(ServiceError) as caught:
        asyncio.run(work())
    return caught.value.code


def test_work_that_nobody_waits_for_is_dropped():
    async def work(gone_first: bool) -> None:
        queue, done, go, begun = Queue(3), [], asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def long() -> None:
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(go.wait(), loop).result()

        first = asyncio.ensure_future(queue.submit(long, loop.time() + 900))
        await begun.wait()
        gone = asyncio.Event()
        if gone_first:
            gone.set()
        deadline = loop.time() + (900 if gone_first else 0)
        try:
            await queue.submit(lambda: done.append(1), deadline, gone.wait())
        finally:
            go.set()
            await first
            queue.close()
            assert done == []

    assert code_of(lambda: work(gone_first=True)) == "client_gone"
    assert code_of(lambda: work(gone_first=False)) == "deadline"


def test_an_error_of_the_work_reaches_its_client_and_leaves_the_queue():
    async def work() -> int:
        queue, deadline = Queue(1), asyncio.get_running_loop().time() + 900
        with pytest.raises(ZeroDivisionError):
            await queue.submit(lambda: 1 / 0, deadline)
        await asyncio.sleep(0)
        result, waited = await queue.submit(lambda: 7, deadline)
        assert waited >= 0
        queue.close()
        return result

    assert asyncio.run(work()) == 7


def test_a_body_that_is_too_long_or_too_slow():
    async def chunks(count, size, silent=False):
        for _ in range(count):
            yield bytes(size)
        if silent:
            await asyncio.sleep(900)

    async def read(declared=None, limit=100, silence=900.0, left=900.0, **body):
        now = asyncio.get_running_loop().time()
        return await read_body(chunks(**body), declared, limit, silence, now + left)

    assert len(asyncio.run(read(count=5, size=20))) == 100
    assert code_of(lambda: read(count=1000, size=20)) == "too_large"
    assert code_of(lambda: read(declared="101", count=0, size=0)) == "too_large"
    assert code_of(lambda: read(declared="many", count=0, size=0)) == "bad_request"
    assert code_of(lambda: read(count=1, size=1, silent=True, silence=0.01)) == "body_timeout"
    assert code_of(lambda: read(count=1, size=1, silent=True, left=0.01)) == "body_timeout"
