"""A service from a command: settings checked, the port taken, then the model loaded, then the port opened."""

import signal
import socket
import sys
from pathlib import Path

from adkit.deploy.extras import require
from adkit.deploy.serving.settings import Settings, read_token
from adkit.runtime import command


def serve(detector: str | Path, *, token_file: str | Path | None = None, token: str | None = None, **settings) -> int:
    """Serve a detector until the process is told to stop; errors of use are one line on stderr.

    Args:
        detector: folder of a saved detector, or of an exported one.
        token_file: whose first line is the token.
        token: the token itself; None: of ``token_file``, else of the environment's ``ADKIT_TOKEN``.
        settings: fields of :class:`adkit.deploy.serving.settings.Settings`, by name.

    Returns:
        Exit code: 0 after a stop in order, 2 for wrong use.
    """
    try:
        token = read_token(token_file) if token is None else token
        chosen = Settings(detector=detector, token=token, **settings)
        uvicorn = require("uvicorn", "serve")
        from adkit.deploy.serving.app import create_app

        app = create_app(chosen)
        taken = take_port(chosen.host, chosen.port)
    except (ValueError, OSError, ImportError, TypeError) as error:
        return complain(str(error))
    return run(uvicorn, app, chosen, taken)


def run(uvicorn, app, settings: Settings, taken: socket.socket) -> int:
    """Run an application on a socket until it is told to stop; returns the exit code."""
    service = app.state.service

    class Server(uvicorn.Server):
        """One that says that it is stopping before it does."""

        def handle_exit(self, sig: int, frame) -> None:
            service.draining = True
            # not as uvicorn does it: that raises the signal again at the end, and the exit code would tell of a death
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.should_exit = True

        async def startup(self, sockets=None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                print(f"adkit serves {settings.name} on {address(taken)}", file=sys.stderr, flush=True)

    config = uvicorn.Config(
        app, log_level="critical", access_log=False, ws="none", server_header=False, date_header=True, backlog=128,
        timeout_keep_alive=5, timeout_graceful_shutdown=int(settings.drain), proxy_headers=settings.behind_proxy,
        lifespan="on", loop="asyncio", http="h11",
    )  # fmt: skip
    server = Server(config)
    try:
        server.run(sockets=[taken])
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        taken.close()
    if not server.started:
        return complain(service.failure or f"the detector {settings.name} could not be started")
    return 0


def address(taken: socket.socket) -> str:
    """Of a bound socket, as a browser takes it."""
    host, port = taken.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def take_port(host: str, port: int) -> socket.socket:
    """A bound socket; connections are accepted once the server listens on it.

    Raises:
        OSError: if the port is taken, or the address is not of this machine; it says so.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port") from error
    taken.set_inheritable(True)
    return taken


def complain(text: str) -> int:
    """One line on stderr, as every command says it; returns the exit code of wrong use."""
    command.complain("adkit serve", text)
    return command.WRONG_USE
