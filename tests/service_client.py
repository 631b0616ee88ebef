"""A service in this process, with a small judge that is no network: for tests of everything but the judging."""

import io
import threading
from contextlib import contextmanager

import numpy as np
from PIL import Image

from adkit.deploy import Settings, create_app
from adkit.deploy.judges import Raw
from adkit.scoring.policy import Policy

TOKEN = "a-token-of-enough-letters"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class BrightJudge:
    """Calls bright pixels anomalous; waits, while it is told to."""

    name, platform, sha256, channels = "BrightJudge", "adkit_torch", "0" * 64, 1

    def __init__(self):
        self.policy = Policy(image_threshold=0.8, pixel_threshold=0.5, score_is_maximum=True)
        self.description = {
            "normals": {"scores": [0.4 + 0.01 * i for i in range(40)], "size": [16, 24]}, "image_threshold": {"n": 40},
        }  # fmt: skip
        self.go, self.judged = threading.Event(), 0
        self.go.set()

    def judge(self, pixels: np.ndarray) -> Raw:
        assert self.go.wait(30)
        self.judged += 1
        a_map = pixels[0].astype(np.float32) / np.iinfo(pixels.dtype).max
        return Raw(float(a_map.max()), a_map)


@contextmanager
def client(folder, judge=None, lines=None, **settings):
    """A client of a service that has started; stopped at the end."""
    from starlette.testclient import TestClient

    log = [] if lines is None else lines
    app = create_app(Settings(detector=folder, **settings), judge, log=log.append)
    with TestClient(app) as http:
        http.service = app.state.service
        yield http


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def dark(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(10, 100, (16, 24), dtype=np.uint8)


def spotted(seed: int = 0) -> np.ndarray:
    pixels = dark(seed)
    pixels[4:8, 10:16] = 250
    return pixels
