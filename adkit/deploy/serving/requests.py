"""What endpoints read of a request, and how its work is done: the image, the policy, the queue."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from adkit.deploy.serving.body import OVERHEAD, file_of_form, read_body
from adkit.deploy.serving.errors import STATUS, ServiceError
from adkit.deploy.serving.service import Model, Service
from adkit.deploy.serving.settings import Settings
from adkit.scoring.policy import Policy

if TYPE_CHECKING:
    from fastapi import Request

MAPS = ("none", "png", "npy")
FLAGS = {"true": True, "1": True, "false": False, "0": False}


async def image_of(request: "Request", settings: Settings, deadline: float) -> bytes:
    """The bytes of the image that a request brings; raises a ServiceError."""
    kind = request.headers.get("content-type", "")
    is_form = kind.lower().startswith("multipart/form-data")
    limit = settings.max_bytes + OVERHEAD * is_form
    declared = request.headers.get("content-length")
    body = await read_body(request.stream(), declared, limit, settings.body_timeout, deadline)
    data = await asyncio.to_thread(file_of_form, body, kind) if is_form else body
    if len(data) > settings.max_bytes:
        raise ServiceError("too_large", f"the image has more than {settings.max_bytes} bytes", settings.max_bytes)
    if not data:
        raise ServiceError("empty", "there is no image in the request; send its bytes as the body")
    return data


async def judged(request: "Request", service: Service, work: Callable[[], dict], deadline: float) -> dict:
    """The answer to a request, from the queue; its line in the log says what was found."""
    line = request.state.line
    try:
        answer, waited = await service.queue.submit(work, deadline, _until_gone(request))
    except ServiceError:
        raise
    except ValueError as error:
        code = getattr(error, "code", None)
        if code not in STATUS:
            raise
        raise ServiceError(code, str(error), getattr(error, "limit", None)) from None
    service.metrics.length.set(service.queue.length)
    answer["ms"] = {"queue": round(1000 * waited, 1)} | answer["ms"]
    line |= {"verdict": answer["verdict"], "score": answer["score"], "image": answer["input"]["sha256"]}
    return {"id": line["id"], **answer}


def policy_for(model: Model, options: dict[str, str], settings: Settings) -> Policy:
    """The policy for a request, whose parameters may change it if the service lets them; raises a ServiceError."""
    if not options:
        return model.policy
    fields = {"image_threshold": float, "pixel_threshold": float, "high": float, "min_area": int, "min_peak": float,
              "border": int, "max_elongation": float, "decide": str}  # fmt: skip
    if unknown := options.keys() - fields.keys():
        known = ", ".join(["map", "regions", "outlines", *fields])
        raise ServiceError("bad_request", f"{len(unknown)} parameter(s) are unknown; there are {known}")
    if not settings.allow_overrides:
        raise ServiceError("override_forbidden", "this service does not let requests change its policy")
    try:
        changes = {name: fields[name](value) for name, value in options.items()}
        return model.policy.changed(**changes)
    except ValueError as error:
        raise ServiceError("bad_request", f"the policy cannot be changed so: {error}") from None


async def _until_gone(request: "Request") -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def flag(options: dict[str, str], name: str, default: bool) -> bool:
    """Take a yes or no out of the parameters of a request; raises a ServiceError."""
    text = options.pop(name, str(default)).lower()
    if text not in FLAGS:
        raise ServiceError("bad_request", f"{name} must be true or false")
    return FLAGS[text]
