"""A procedural textile: woven frames with five types of defect and exact masks, so that nothing needs a download.

A frame is made as the real one is: ``weaves`` says which yarn lies on top at each crossing, ``fabrics`` holds the
presets, ``cloth`` lays the yarns, ``faults`` and ``stains`` spoil them, ``render`` takes the picture. Two types more
change the ``whole_frame``; they are no part of the default set. ``crossing`` puts type, size and severity together.

>>> image, mask = Textile("denim", frame=(64, 64)).weave(0, "dots")
>>> image.shape, mask.dtype
((64, 64), dtype('bool'))
"""

from adkit.data.textile.fabrics import FABRICS, Fabric
from adkit.data.textile.loom import MAKERS, Textile
from adkit.data.textile.records import TextileRecord, textile_records
from adkit.data.textile.weaves import WEAVES
from adkit.data.textile.whole_frame import WHOLE_FRAME

DEFECT_TYPES = tuple(MAKERS)  # of the default set
WHOLE_FRAME_TYPES = tuple(WHOLE_FRAME)  # only where they are asked for

__all__ = [
    "DEFECT_TYPES",
    "FABRICS",
    "WEAVES",
    "WHOLE_FRAME_TYPES",
    "Fabric",
    "Textile",
    "TextileRecord",
    "textile_records",
]
