"""What a service can be told; checked before anything is loaded or opened."""

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from adkit.data.uploads import Limits
from adkit.scoring.policy import Policy

SHORTEST_TOKEN = 16
# pixels of an image where nothing else is said, see ``max_pixels``
MOST_PIXELS, LEAST_PIXELS, FRAMES = 32_000_000, 1_000_000, 8


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a service.

    Attributes:
        detector: folder of a saved detector, or of an exported one.
        policy: where to cut, or the path of a policy; None: the one beside the detector, else its own thresholds.
        host: address to listen on; any but loopback needs a token.
        port: to listen on, 0 to 65535; 0 takes a free one.
        token: what a client must send as ``Authorization: Bearer TOKEN``; None: nothing, on loopback alone.
        no_auth: listen anywhere without a token, on a network that is closed by other means.
        name: of the model in the paths of the open inference protocol; empty: the folder's name.
        queue: images that may wait; the next is answered with 429.
        timeout: seconds from a request's start until its answer, body included.
        body_timeout: seconds of silence in a body after which it is given up.
        max_bytes: of an image file.
        max_pixels: of an image; None: 32 million, and where images are judged whole no more than 8 frames of the
            training (1 million at least), since memory grows with them.
        threads: of the one image that is judged at a time.
        device: of a saved detector: auto, cpu, cuda, cuda:N or mps.
        allow_overrides: let a request set fields of the policy for itself.
        reload: allow ``POST /v1/reload``, and SIGHUP; needs a token.
        docs: offer ``/docs`` and ``/openapi.json``.
        metrics_public: ``/metrics`` without a token.
        state: folder in which the monitor's state is kept; None: nowhere.
        window: images of a window of the monitor.
        drain: seconds that a stopping service gives to what it has accepted.
        behind_proxy: trust the forwarded headers of a proxy.

    Raises:
        ValueError: if a value is out of its range, or an address other than loopback has no token.
        FileNotFoundError: if there is no such detector.
    """

    detector: str | Path
    policy: Policy | str | Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = field(default=None, repr=False)
    no_auth: bool = False
    name: str = ""
    queue: int = 16
    timeout: float = 30.0
    body_timeout: float = 10.0
    max_bytes: int = 20_000_000
    max_pixels: int | None = None
    threads: int = 1
    device: str = "auto"
    allow_overrides: bool = False
    reload: bool = False
    docs: bool = False
    metrics_public: bool = False
    state: str | Path | None = None
    window: int = 200
    drain: float = 20.0
    behind_proxy: bool = False

    def __post_init__(self):
        for name in ("queue", "max_bytes", "threads", *(["max_pixels"] if self.max_pixels is not None else [])):
            _check(
                name, getattr(self, name), lambda value: type(value) is int and value >= 1, "a whole number from 1 on"
            )
        for name in ("timeout", "body_timeout", "drain"):
            _check(name, getattr(self, name), lambda value: value > 0, "a positive number of seconds")
        _check("port", self.port, lambda value: type(value) is int and 0 <= value < 65536, "a port from 0 to 65535")
        folder = Path(self.detector).expanduser()
        if not (folder / "detector.json").is_file():
            raise FileNotFoundError(f"no saved detector at {folder}: expected a folder with detector.json")
        object.__setattr__(self, "detector", folder)
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", self.name or folder.resolve().name).strip("-.") or "detector"
        object.__setattr__(self, "name", safe)
        self._check_token()

    def _check_token(self) -> None:
        if self.token is not None and (len(self.token) < SHORTEST_TOKEN or not self.token.isascii()):
            raise ValueError(f"the token must have at least {SHORTEST_TOKEN} ASCII characters")
        if self.token is None and not self.no_auth and not is_loopback(self.host):
            raise ValueError(
                f"{self.host} can be reached from other machines, so a token is needed: set ADKIT_TOKEN, pass a file "
                "with --token-file, or --no-auth where the network is closed by other means"
            )
        if self.reload and self.token is None:
            raise ValueError("reloading needs a token, so that not everybody can do it: set ADKIT_TOKEN")

    def limits(self, description: dict) -> Limits:
        """Of an image, for a model.

        Args:
            description: what its ``detector.json`` says.
        """
        steps, size = description.get("preprocessing", {}), description.get("normals", {}).get("size")
        most = MOST_PIXELS
        if size and not steps.get("resize") and not steps.get("tile"):
            most = min(most, max(FRAMES * size[0] * size[1], LEAST_PIXELS))
        return Limits(bytes=self.max_bytes, pixels=self.max_pixels or most)


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_token(file: str | Path | None = None) -> str | None:
    """The token of a file, else of the environment's ``ADKIT_TOKEN``; None where there is neither.

    Args:
        file: whose first line is the token.

    Raises:
        ValueError: if the file cannot be read.
    """
    if file is None:
        return os.environ.get("ADKIT_TOKEN") or None
    try:
        return Path(file).read_text(encoding="utf-8").strip().partition("\n")[0].strip()
    except OSError as error:
        raise ValueError(f"the token file {file} cannot be read: {error.strerror}") from error


def _check(name: str, value: object, valid, expected: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not valid(value):
        raise ValueError(f"{name} must be {expected}, got {value!r}")
