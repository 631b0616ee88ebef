"""A service in this process, with a small judge that is no network: for tests of everything but the judging."""

import io
import json
import threading
from contextlib import contextmanager
from pathlib import Path

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
        assert self.go.wait(900)
        self.judged += 1
        a_map = pixels[0].astype(np.float32) / np.iinfo(pixels.dtype).max
        return Raw(float(a_map.max()), a_map)


def served_folder(folder: Path) -> Path:
    """What a service looks for beside its judge: a description, weights, a policy."""
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(b"weights")
    threshold = {"value": 0.8, "low": 0.8, "high": 0.8, "n": 40, "q": 95.0}
    described = {"detector": "BrightJudge", "image_threshold": threshold, "pixel_threshold": 0.5, "settings": {}}
    (folder / "detector.json").write_text(json.dumps(described))
    BrightJudge().policy.save(folder)
    return folder


@contextmanager
def client(folder, judge=None, lines=None, **settings):
    """A client of a service that has started; stopped at the end."""
    from starlette.testclient import TestClient

    log = [] if lines is None else lines
    patient = {"timeout": 900.0, "body_timeout": 900.0}  # a machine may be slow
    app = create_app(Settings(detector=folder, **patient | settings), judge, log=log.append)
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
