"""The page at ``/``, on which a person drops an image and sees what the service says of it."""

import base64
import hashlib
from pathlib import Path

_STYLE, _SCRIPT, _BODY = (
    (Path(__file__).parent / f"page.{ending}").read_text(encoding="utf-8") for ending in ("css", "js", "html")
)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>adkit: inspect an image</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
    f"<style>{_STYLE}</style></head><body>{_BODY}<script>{_SCRIPT}</script></body></html>\n"
)
# it may ask this service, and nobody else
CSP = (
    f"default-src 'none'; connect-src 'self'; img-src data: blob:; style-src {_hash(_STYLE)}; "
    f"script-src {_hash(_SCRIPT)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
