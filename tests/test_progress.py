"""The progress line: in place while it runs, about ten plain lines after."""

import io

import pytest
import torch

from adkit.runtime import progress as progress_module
from adkit.runtime.progress import Progress, progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_saved_run_has_about_ten_lines(capsys):
    with Progress(1000, "denim · mse") as bar:
        for step in range(1, 1001):
            bar.update(step, loss=torch.tensor(1 / step))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("denim · mse  step 100/1000  loss 0.01  ")
    assert lines[0].endswith(" left")
    assert lines[-1].endswith(" in all")


def test_values_stay_until_replaced_and_are_read_only_when_drawn(capsys):
    class Watched:
        reads = 0

        def __float__(self):
            Watched.reads += 1
            return 0.5

    bar = Progress(100)
    bar.update(1, validation=0.25)
    for step in range(2, 11):
        bar.update(step, loss=Watched())
    bar.close()
    assert Watched.reads == 1
    assert "validation 0.25  loss 0.5" in capsys.readouterr().out


def test_a_terminal_line_is_written_in_place(monkeypatch):
    monkeypatch.setattr(progress_module, "REFRESH", -1.0)
    stream = Terminal()
    with Progress(3, "a", stream=stream) as bar:
        for step in (1, 2, 3):
            bar.update(step, loss=0.5)
    assert stream.getvalue().count("\r") == 3
    assert stream.getvalue().count("\n") == 1
    Progress(3, stream=(empty := Terminal())).close()
    assert empty.getvalue() == ""


def test_a_notebook_keeps_the_tenths_and_replaces_the_live_line(monkeypatch):
    shown = []

    class Handle:
        def display(self, content, raw):
            shown.append(content["text/plain"])

        update = display

    monkeypatch.setattr(progress_module, "REFRESH", -1.0)
    monkeypatch.setattr("IPython.display.DisplayHandle", Handle)
    view = progress_module._Notebook()
    view.close()
    monkeypatch.setattr(progress_module, "_view", lambda stream: view)
    with Progress(20, "a") as bar:
        for step in range(1, 21):
            bar.update(step)
    assert len(shown) == 21
    assert shown[0].startswith("a  step 1/20")
    assert [line.split()[2] for line in shown[-1].splitlines()] == [f"{s}/20" for s in range(2, 21, 2)]


def test_the_view_suits_the_place(monkeypatch):
    class Kernel:
        kernel = object()

    monkeypatch.delenv("ADKIT_HEADLESS", raising=False)
    monkeypatch.setattr("IPython.get_ipython", Kernel)
    assert isinstance(progress_module._view(progress_module.sys.stdout), progress_module._Notebook)
    monkeypatch.setenv("ADKIT_HEADLESS", "1")
    assert isinstance(progress_module._view(progress_module.sys.stdout), progress_module._Lines)


def test_quiet_shows_nothing_and_a_resumed_run_knows_its_speed(capsys, monkeypatch):
    with Progress(10, quiet=True) as bar:
        bar.update(10)
    assert list(progress(range(3), quiet=True)) == [0, 1, 2]
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(progress_module.time, "perf_counter", lambda: 0.0)
    bar = Progress(100, start=90, quiet=True)
    assert bar.line(92, 4.0) == "step 92/100  2 s/step  16 s left"
    assert bar.line(90, 4.0) == "step 90/100"


def test_progress_over_a_generator_needs_a_total(capsys):
    assert list(progress((x for x in "ab"), "letters", total=2)) == ["a", "b"]
    assert capsys.readouterr().out.count("letters") == 2
    with pytest.raises(ValueError, match="generator, which has no length, needs total="):
        list(progress(x for x in "ab"))
    with pytest.raises(ValueError, match="total must be at least 1 step, got 0"):
        Progress(0)


def test_fetched_results_tell_nothing_of_the_time_left(monkeypatch):
    """Of 15 runs the first was on disk: it took no time, and the other 14 will."""
    clock = [0.0]
    monkeypatch.setattr(progress_module.time, "perf_counter", lambda: clock[0])
    stream, seconds = io.StringIO(), {1: 0.5, 2: 0.5}
    with Progress(10, "runs", stream=stream) as bar:
        for step in range(1, 11):
            clock[0] += seconds.get(step, 30.0)
            progress_module.work.note(fetched=step in seconds)
            bar.update(step)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "runs  step 1/10 (1 fetched)"
    assert lines[1] == "runs  step 2/10 (2 fetched)"
    assert lines[2] == "runs  step 3/10 (2 fetched)  30 s/step  3 min 30 s left"
    assert lines[-1].endswith("4 min 01 s in all")


def test_a_step_that_fetched_one_result_and_made_another_counts(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(progress_module.time, "perf_counter", lambda: clock[0])
    stream = io.StringIO()
    bar = Progress(2, stream=stream)
    clock[0] = 10.0
    progress_module.work.note(fetched=True)
    progress_module.work.note(fetched=False)
    bar.update(1)
    assert stream.getvalue() == "step 1/2  10 s/step  10 s left\n"


def test_where_nobody_can_look_every_line_is_printed(monkeypatch):
    """As papermill, nbconvert and nbval run a kernel: an output that changes in place reaches no log."""

    class Shell:
        class kernel:
            _allow_stdin = False

    monkeypatch.delenv("ADKIT_HEADLESS", raising=False)
    monkeypatch.setattr("IPython.get_ipython", Shell)
    assert isinstance(progress_module._view(progress_module.sys.stdout), progress_module._Lines)
    Shell.kernel._allow_stdin = True
    assert isinstance(progress_module._view(progress_module.sys.stdout), progress_module._Notebook)
