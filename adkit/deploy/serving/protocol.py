"""The open inference protocol, version 2: health, metadata and inference as other servers of models have them.

An image is one element of a BYTES tensor: the base64 of its file. As numbers in JSON it would be thirty times as long.
"""

import asyncio
import base64
import binascii
import json
from typing import TYPE_CHECKING

from adkit.deploy.serving.body import OVERHEAD, read_body
from adkit.deploy.serving.errors import ServiceError
from adkit.deploy.serving.requests import judged
from adkit.deploy.serving.service import Model, Service
from adkit.runtime import VERSION

if TYPE_CHECKING:
    from fastapi import FastAPI

OUTPUTS = ("score", "threshold", "is_anomalous", "verdict", "anomaly_map")
TYPES = {"score": "FP32", "threshold": "FP32", "is_anomalous": "BOOL", "verdict": "BYTES"}


def add_paths(app: "FastAPI", service: Service) -> None:
    """The paths of the protocol but for those of the whole server's health."""
    from fastapi import Request, Response

    name = service.settings.name

    def known(asked: str) -> Model:
        if asked != name:
            raise ServiceError("not_found", f"there is one model here, {name}")
        return service.require_ready()

    @app.get("/v2")
    async def server():
        return {"name": "adkit", "version": VERSION, "extensions": []}

    @app.get("/v2/models/{model}")
    async def metadata(model: str):
        return metadata_of(known(model), name)

    @app.get("/v2/models/{model}/ready")
    async def ready(model: str):
        known(model)
        return {"name": name, "ready": True}

    @app.post("/v2/models/{model}/infer")
    async def infer(model: str, request: Request):
        deadline = asyncio.get_running_loop().time() + service.settings.timeout
        chosen = known(model)
        service.queue.check()
        settings, declared = service.settings, request.headers.get("content-length")
        limit = settings.max_bytes * 4 // 3 + OVERHEAD
        body = await read_body(request.stream(), declared, limit, settings.body_timeout, deadline)

        def work() -> dict:
            data, wanted, given = read_request(body)
            as_map = "npy" if "anomaly_map" in wanted else "none"
            answer = service.judge(data, chosen, chosen.policy, as_map, outlines=False)
            # as text, here on the thread: numbers of a map are many
            return answer | {"outputs": ", ".join(tensor(name, answer) for name in wanted), "given": given}

        answer = await judged(request, service, work, deadline)
        told = {"model_name": name, "model_version": chosen.judge.sha256[:12], "id": answer["given"] or answer["id"]}
        return Response(f'{json.dumps(told)[:-1]}, "outputs": [{answer["outputs"]}]}}', media_type="application/json")


def metadata_of(model: Model, name: str) -> dict:
    """What the protocol says of a model, and where it cuts."""
    judge, policy = model.judge, model.policy
    outputs = [{"name": output, "datatype": kind, "shape": [1]} for output, kind in TYPES.items()]
    outputs.append({"name": "anomaly_map", "datatype": "FP32", "shape": [-1, -1]})
    return {
        "name": name,
        "versions": [judge.sha256[:12]],
        "platform": judge.platform,
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1]}],
        "outputs": outputs,
        "parameters": {
            "method": judge.name, "channels": judge.channels, "threshold": policy.image_threshold,
            "pixel_threshold": policy.pixel_threshold, "policy": policy.sha256,
        },
    }  # fmt: skip


def read_request(body: bytes) -> tuple[bytes, list[str], str | None]:
    """The image, the outputs that are wanted, and the client's id, of a request's JSON; raises a ServiceError."""
    try:
        content = json.loads(body)
        (image,) = content["inputs"]
        (text,) = image["data"]
        data = base64.b64decode(text, validate=True)
        wanted = [output["name"] for output in content.get("outputs", [])] or list(OUTPUTS[:4])
        given = content.get("id")
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise ServiceError("bad_request", "expected one input of type BYTES with one image file in base64") from error
    if image.get("datatype") != "BYTES" or image.get("name", "image") != "image":
        raise ServiceError("bad_request", "the input must be called image and have the datatype BYTES")
    if not all(isinstance(name, str) for name in wanted) or len(set(wanted)) < len(wanted):
        raise ServiceError("bad_request", "each output is asked for once, by its name")
    if unknown := [name for name in wanted if name not in OUTPUTS]:
        raise ServiceError("bad_request", f"{len(unknown)} output(s) are unknown; there are {', '.join(OUTPUTS)}")
    return data, wanted, given if isinstance(given, str) and len(given) <= 64 else None


def tensor(name: str, answer: dict) -> str:
    """An output as the protocol has it, as JSON."""
    if name == "anomaly_map":
        import io

        import numpy as np

        a_map = np.load(io.BytesIO(base64.b64decode(answer["map"]["data"])))
        head = json.dumps({"name": name, "datatype": "FP32", "shape": a_map.shape})
        # row by row: in one call it would keep the interpreter to itself, and the live check would wait
        return f'{head[:-1]}, "data": [{", ".join(json.dumps(row.tolist())[1:-1] for row in a_map)}]}}'
    return json.dumps({"name": name, "datatype": TYPES[name], "shape": [1], "data": [answer[name]]})
