"""The environment in which committed notebooks run."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
SETTINGS = {"ADKIT_HEADLESS": "1", "ADKIT_FAST": None, "MPLBACKEND": None, "PYTHONWARNINGS": None}


def environment(home: Path) -> dict[str, str]:
    """The environment of a committed run."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return kept | {name: value for name, value in SETTINGS.items() if value} | {"ADKIT_HOME": str(home)}
