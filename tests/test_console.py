"""Output that a console cannot print: finished work never fails for want of a character."""

import io
import os
import subprocess
import sys

import pytest

from adkit.runtime.console import printable, say

TEXT = "0.83 ± 0.02 ≤ 5 · ✓ → × 雪"


def stream(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1", "utf-8", "utf-16"])
def test_every_text_can_be_printed_on_every_stream(encoding):
    target = stream(encoding)
    say(TEXT, target)
    target.seek(0)
    printed = target.read()
    assert printed.startswith("0.83 ")
    assert ("雪" in printed) == encoding.startswith("utf")
    assert printable("plain", target) == "plain"


def test_streams_without_an_encoding_or_with_an_unknown_one():
    class Odd(io.StringIO):
        encoding = "no-such-code"

    assert printable(TEXT, io.StringIO()) == TEXT
    assert printable("±", Odd()) == "+/-"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    "script",
    [
        # a table of several seeds, printed by a user's own script
        "from pathlib import Path\n"
        "from adkit import Experiment, table\n"
        "from adkit.experiments.evaluation import Evaluation\n"
        "from adkit.experiments.experiment import Result\n"
        "scored = [(Experiment(seed=s), Evaluation(image_auroc=0.7 + s / 10)) for s in (0, 1)]\n"
        "rows = [Result(*one, {}, [], {}, Path()) for one in scored]\n"
        "print(table(rows, ['image_auroc']))",
        "from adkit.course.lesson import Lesson\n"
        "lesson = Lesson()\nlesson.claim('a · b', True)\nlesson.check('12.1', 8640)\nlesson.check('12.1', None)",
        "from adkit.runtime.progress import Progress\nwith Progress(3, 'denim · mse') as bar: bar.update(3, β=1)",
    ],
)
def test_scripts_end_well_where_stdout_knows_few_characters(script, encoding, tmp_path):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "ADKIT_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout
