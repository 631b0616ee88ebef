"""The look of a page and its few lines of script; all that it says stands in the page without either."""

import base64
import hashlib
from pathlib import Path

CSS, SCRIPT = ((Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))


def csp(script: str) -> str:
    """A content security policy under which a page asks no host for anything, and runs no script but this one.

    Args:
        script: the text between the script's tags.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
