"""``adkit serve``: a detector as a service."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.deploy.arguments import add_shared
from adkit.deploy.serving.run import serve

EPILOG = """
A person opens the address in a browser and drops an image; a program sends the bytes of a file:

  adkit serve runs/detector
  curl --data-binary @photo.png http://127.0.0.1:8000/v1/predict

On any other address than loopback clients must send a token, at least 16 letters long:

  ADKIT_TOKEN=... adkit serve runs/detector --host 0.0.0.0
  curl -H "Authorization: Bearer $ADKIT_TOKEN" --data-binary @photo.png http://HOST:8000/v1/predict
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    port = os.environ.get("PORT", "")
    add_shared(parser, "detector")
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--port", type=int, default=int(port) if port.isdecimal() else 8000, help="(default: $PORT, else 8000)")
    add("--token-file", type=Path, metavar="FILE", help="its first line is the token (default: $ADKIT_TOKEN)")
    add("--no-auth", action="store_true", help="no token, on a network that is closed by other means")
    add(
        "--queue",
        type=int,
        default=16,
        metavar="N",
        help="images that may wait, the one at work among them (default: 16)",
    )
    add("--timeout", type=float, default=30.0, metavar="S", help="seconds for a request (default: 30)")
    add("--max-bytes", type=int, default=20_000_000, metavar="N", help="of an image file (default: 20000000)")
    add("--max-pixels", type=int, metavar="N", help="of an image (default: 32000000, or 8 frames of the training)")
    add("--threads", type=int, default=1, metavar="N", help="that compute one image (default: 1)")
    add("--name", default="", help="of the model in the paths (default: the folder's name)")
    add("--state", type=Path, metavar="DIR", help="where the monitor's state is kept (default: nowhere)")
    add("--window", type=int, default=200, metavar="N", help="images of a window of the monitor (default: 200)")
    add("--allow-overrides", action="store_true", help="let requests change the policy for themselves")
    add("--watch-model", action="store_true", help="load the folder anew on POST /v1/reload or SIGHUP; needs a token")
    add("--docs", action="store_true", help="offer /docs and /openapi.json")
    add("--metrics-public", action="store_true", help="/metrics without a token")
    add(
        "--behind-proxy",
        action="store_true",
        help="trust the forwarded headers of a proxy at 127.0.0.1, or at $FORWARDED_ALLOW_IPS",
    )
    add_shared(parser, "--policy", "--device")


def run(chosen: Namespace) -> int:
    """Serve until the process is told to stop.

    Args:
        chosen: what the parser has read.
    """
    options = {
        name: value for name, value in vars(chosen).items() if name not in ("detector", "watch_model", "command")
    }
    return serve(chosen.detector.expanduser(), reload=chosen.watch_model, **options)
