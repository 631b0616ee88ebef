"""``adkit export``: a detector as an ONNX folder that needs no torch."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.deploy.export.onnx_export import PARITY_FILE, export_onnx
from adkit.runtime.console import say

EPILOG = """
An autoencoder, a VAE or DRAEM can be exported; a fusion, a PatchCore, a filter bank and latent distances cannot.
The exported model is compared with the detector, on files, before it is written. It is for boxes without torch and for
small memory, not for speed.

  adkit export runs/detector --out runs/exported
  adkit serve runs/exported
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add("detector", type=Path, metavar="DETECTOR", help="folder of a saved detector")
    add("--out", type=Path, required=True, metavar="DIR", help="the new folder")
    add("--images", type=Path, metavar="DIR", help="files to compare with (default: drawn ones)")
    add("--opset", type=int, metavar="N", help="of the graph (default: 17)")
    add("--rtol", type=float, default=1e-5, help="largest difference of a map, as a share (default: 1e-5)")


def run(chosen: Namespace) -> int:
    """Export, and say how close it is.

    Args:
        chosen: what the parser has read.
    """
    out = export_onnx(chosen.detector.expanduser(), chosen.out.expanduser(), chosen.opset, chosen.images, chosen.rtol)
    parity = json.loads((out / PARITY_FILE).read_text(encoding="utf-8"))
    say(f"written: {out}; largest difference over {parity['files']} files: map {parity['map_error']:.1e}, score "
        f"{parity['score_error']:.1e}, verdicts equal")  # fmt: skip
    return 0
