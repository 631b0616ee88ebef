"""The full runs of notebooks: made once, kept beside them, and shown by them as numbers of another run.

``notebooks/params/full.yaml`` has their parameters; ``adkit.course.full_run`` reads what is kept here.
"""

import json
import time
from pathlib import Path

import yaml

from adkit.runtime import atomic_path
from tests.parameterised import run_with


def keep_full_runs(paths: list[Path], home: Path) -> None:
    """Run notebooks with their full parameters, and keep what they find in ``results/full``, with the date.

    Args:
        paths: of the notebooks; each needs a key in ``params/full.yaml`` beside them.
        home: folder of the runs; trainings that lie there are not made again.
    """
    profiles = yaml.safe_load((paths[0].parent / "params" / "full.yaml").read_text(encoding="utf-8"))
    if unknown := [path.stem for path in paths if path.stem not in profiles]:
        raise SystemExit(f"params/full.yaml has no full run of {', '.join(unknown)}, only of {', '.join(profiles)}")
    for path in paths:
        found = run_with(path, profiles[path.stem], home / "full" / path.stem, home)
        kept = path.parent / "results" / "full" / f"{path.stem}.json"
        kept.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(kept) as temporary:
            text = json.dumps(found | {"date": time.strftime("%Y-%m-%d")}, indent=1, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")
        print(f"{path.stem}, full run: {found['seconds']:.0f} s", flush=True)
