"""The paths of a service. Endpoints only read and answer; whatever costs time waits for the queue's one thread."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from adkit.deploy.extras import require
from adkit.deploy.judges import Judge
from adkit.deploy.serving import protocol
from adkit.deploy.serving.access import Access, print_line
from adkit.deploy.serving.errors import ServiceError
from adkit.deploy.serving.page import CSP, PAGE
from adkit.deploy.serving.requests import MAPS, flag, image_of, judged, policy_for
from adkit.deploy.serving.service import Service
from adkit.deploy.serving.settings import Settings
from adkit.runtime import VERSION

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

# seconds from one writing of the monitor's state to the next
SAVE_EVERY = 60
IMAGE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "image/bmp", "image/tiff", "application/octet-stream")
        },
    }
}


def create_app(settings: Settings, judge: Judge | None = None, log: Callable[[dict], None] = print_line) -> "FastAPI":
    """The service as an ASGI application; its model is loaded when it starts.

    Args:
        settings: of the service.
        judge: a model that is loaded already; None: loaded from the settings' folder.
        log: takes a line for each request, as plain data.

    Raises:
        ImportError: if FastAPI is not installed; it says what to install.
    """
    fastapi = require("fastapi", "serve")
    require("python_multipart", "serve")
    service = Service(settings, judge)

    @asynccontextmanager
    async def lifespan(app: "FastAPI") -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        # on the thread that will judge: what libraries keep for each thread is made once
        try:
            service.take(await loop.run_in_executor(service.queue.executor, service.load))
        except Exception as error:
            service.failure = f"{type(error).__name__}: {error}"
            raise
        saving = asyncio.create_task(_save_now_and_then(service))
        if settings.reload:
            with suppress(NotImplementedError, RuntimeError, ValueError):  # not in a thread, and not on every system
                loop.add_signal_handler(signal.SIGHUP, lambda: asyncio.ensure_future(_reload_quietly(service, log)))
        yield
        service.draining = True
        saving.cancel()
        service.close()

    app = fastapi.FastAPI(
        title="adkit", version=VERSION, lifespan=lifespan,
        docs_url="/docs" if settings.docs else None, redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
    )  # fmt: skip
    app.state.service = service
    app.add_middleware(Access, service=service, log=log)
    _handle_errors(app)
    _add_health(app, service)
    _add_predict(app, service)
    _add_operation(app, service)
    protocol.add_paths(app, service)
    return app


def _handle_errors(app: "FastAPI") -> None:
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    known = {404: "not_found", 405: "method_not_allowed"}

    @app.exception_handler(HTTPException)
    async def refuse(request: "Request", error: HTTPException):
        raise ServiceError(known.get(error.status_code, "bad_request"), str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def refuse_values(request: "Request", error: RequestValidationError):
        raise ServiceError("bad_request", "a parameter of the request is wrong")


def _add_health(app: "FastAPI", service: Service) -> None:
    from starlette.responses import HTMLResponse, JSONResponse

    @app.get("/", include_in_schema=False)
    async def page():
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": CSP})

    @app.get("/v2/health/live")
    async def live():
        return {"live": True}

    @app.get("/v2/health/ready")
    async def ready():
        try:
            service.require_ready()
        except ServiceError as error:
            return JSONResponse({"ready": False, "reason": error.code}, 503)
        return {"ready": True}


def _add_predict(app: "FastAPI", service: Service) -> None:
    from fastapi import Request
    from starlette.responses import JSONResponse

    @app.post("/v1/predict", openapi_extra=IMAGE_BODY)
    async def predict(request: Request):
        """Judge one image: its bytes as the body, or a form with one field ``file``."""
        deadline = asyncio.get_running_loop().time() + service.settings.timeout
        model = service.require_ready()
        options = dict(request.query_params)
        as_map = options.pop("map", "none")
        if as_map not in MAPS:
            raise ServiceError("bad_request", f"map must be one of {', '.join(MAPS)}")
        regions, outlines = flag(options, "regions", True), flag(options, "outlines", False)
        policy = policy_for(model, options, service.settings)
        service.queue.check()
        data = await image_of(request, service.settings, deadline)

        def work() -> dict:
            return service.judge(data, model, policy, as_map, outlines)

        answer = await judged(request, service, work, deadline)
        if not regions:
            del answer["regions"], answer["suppressed"]
        return JSONResponse(answer)  # plain data, of hundreds of regions perhaps: nothing need look at each of them


def _add_operation(app: "FastAPI", service: Service) -> None:
    from starlette.responses import Response

    @app.get("/metrics", include_in_schema=False)
    async def metrics():
        service.metrics.length.set(service.queue.length)
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/v1/monitor")
    async def monitor():
        return service.monitor_state()

    @app.post("/v1/reload")
    async def reload():
        if not service.settings.reload:
            raise ServiceError("not_found", "reloading is off; start the service with --watch-model")
        return await reload_model(service)


async def reload_model(service: Service) -> dict:
    """Load the folder's model beside the one that serves, and change over; whatever is wrong leaves the old one.

    Raises:
        ServiceError: reload_failed.
    """
    before = service.require_ready()
    try:
        model = await asyncio.get_running_loop().run_in_executor(service.loader, service.load)
    except Exception as error:
        raise ServiceError(
            "reload_failed", f"the new model cannot be used ({type(error).__name__}); the old one stays"
        ) from error
    service.take(model)
    names = ("old", "new")
    return {
        name: {"sha256": one.judge.sha256, "policy": one.policy.sha256}
        for name, one in zip(names, (before, model), strict=True)
    }


async def _reload_quietly(service: Service, log: Callable[[dict], None]) -> None:
    try:
        log({"event": "reload", **await reload_model(service)})
    except ServiceError as error:
        log({"event": "reload", "code": error.code, "message": error.message})


async def _save_now_and_then(service: Service) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY)
        with suppress(OSError):  # a full disk is no reason not to serve
            await asyncio.to_thread(service.save_state)
