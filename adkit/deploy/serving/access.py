"""What every request goes through: an id, the token, a line in the log, a count, and headers that harm nobody."""

import hmac
import json
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from adkit.deploy.serving.errors import ServiceError
from adkit.deploy.serving.service import Service

OPEN = ("/", "/v2/health/live", "/v2/health/ready")
HEADERS = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}  # fmt: skip
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def print_line(line: dict) -> None:
    """A line of the log on stdout, as JSON."""
    print(json.dumps(line, ensure_ascii=True), file=sys.stdout, flush=True)


class Access:
    """Around all paths of a service.

    Args:
        app: what comes next.
        service: whose token, metrics and settings count.
        log: takes a line for each request.
    """

    def __init__(self, app, service: Service, log: Callable[[dict], None] = print_line):
        self.app, self.service, self.log = app, service, log

    async def __call__(self, scope, receive, send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, headers = time.perf_counter(), dict(scope["headers"])
        line = {"id": request_id(headers.get(b"x-request-id")), "method": scope["method"][:10], "path": _path(scope)}
        scope.setdefault("state", {})["line"] = line

        async def answer(message) -> None:
            if message["type"] == "http.response.start":
                line["status"] = message["status"]
                own = HEADERS | {"X-Request-ID": line["id"]}
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in own.items())]
            await send(message)

        try:
            self._authorise(scope["path"], headers)
            await self.app(scope, receive, answer)
        except ServiceError as error:
            await respond(error, line, answer)
        except Exception as error:
            line["error"] = _place(error)
            if "status" not in line:
                await respond(ServiceError("internal", "something went wrong here; the log has this id"), line, answer)
        finally:
            seconds = time.perf_counter() - start
            self.service.metrics.requests.labels(str(line.get("status", 499))).inc()
            self.service.metrics.request_seconds.observe(seconds)
            self.log(line | {"ms": round(1000 * seconds, 1)})
        return None

    def _authorise(self, path: str, headers: dict[bytes, bytes]) -> None:
        settings = self.service.settings
        if settings.token is None or path in OPEN or (path == "/metrics" and settings.metrics_public):
            return
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        # digests of one length, so that not even the length of the token shows in the time
        same = hmac.compare_digest(sha256(given.strip()).digest(), sha256(settings.token.encode()).digest())
        if scheme.lower() != b"bearer" or not same:
            raise ServiceError(
                "unauthorized", "send the header Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"}
            )


async def respond(error: ServiceError, line: dict, send) -> None:
    """Send an error as JSON, and note its code."""
    line["code"] = error.code
    # the open inference protocol has a shape of its own for errors
    protocol = line["path"].startswith("/v2")
    body = json.dumps({"error": error.message} if protocol else error.body(line["id"])).encode()
    own = {"Content-Type": "application/json", "Content-Length": str(len(body))} | error.headers
    headers = [(name.lower().encode(), value.encode()) for name, value in own.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def request_id(given: bytes | None) -> str:
    """The client's id, if it is a plain one; else a new one."""
    text = (given or b"").decode("latin-1")
    return text if REQUEST_ID.fullmatch(text) else uuid.uuid4().hex


def _path(scope) -> str:
    """The path for the log: short and printable, without the query, which may hold anything."""
    return re.sub(r"[^\x21-\x7e]", "?", scope["path"])[:100]


def _place(error: Exception) -> str:
    """What went wrong and where, without a path or a message that may hold one."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
