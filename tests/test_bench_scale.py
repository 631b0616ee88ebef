"""The page of costs against size, and the script of a GPU: what they say of given figures; nothing is timed here."""

import math

import pytest
import torch

from tests.bench import __main__ as bench
from tests.bench import gpu, scale
from tests.bench.gpu_parts import PARTS
from tests.bench.rows import row
from tests.bench.scale import Point
from tests.bench.scale_cores import Cores, makespan
from tests.bench.scale_curves import CURVES


def points(exponent: float, seconds: float = 0.01, peak: float = 1e6, sizes=(10, 20, 40, 80)) -> list[Point]:
    return [Point(n, seconds * (n / 10) ** exponent, peak * n) for n in sizes]


@pytest.mark.parametrize("b", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(b):
    measured = points(b)
    assert scale.exponent([p.size for p in measured], [p.seconds for p in measured]) == pytest.approx(b)
    assert math.isnan(scale.exponent([1], [1]))


def test_where_a_cost_reaches_its_limit():
    quadratic = points(2.0)
    assert scale.reach(quadratic, 1.0, "seconds") == pytest.approx(100)  # 0.01 s at 10
    assert scale.reach(quadratic, 24e9, "peak") == pytest.approx(24_000)
    assert scale.reach(points(0.0), 3600, "seconds") is None  # it does not grow
    assert scale.extrapolated(quadratic, 160, "seconds") == pytest.approx(2.56)
    assert scale.extrapolated(points(0.5), 160, "seconds") > points(0.5)[-1].seconds * 1.99  # at least linear


def test_a_size_that_takes_too_long_or_too_much_memory_is_not_measured(monkeypatch):
    monkeypatch.setattr(scale, "_available", lambda: 10e9)
    assert scale._refused(points(1.0)[:1], 10**9) == ""  # one point tells no growth
    assert scale._refused(points(1.0), 160) == ""
    assert scale._refused(points(1.0, seconds=20), 160) == "not measured: about 320 s"
    assert scale._refused(points(1.0, peak=1e8), 160) == "not measured: about 16 GB"


def test_jobs_go_to_whoever_is_free():
    assert makespan([3.0, 1.0, 1.0, 1.0], 2, start=0.0, dispatch=0.0) == 3.0
    assert makespan([1.0] * 64, 64, start=2.0, dispatch=0.0) == 3.0
    assert makespan([1.0] * 64, 64, start=0.0, dispatch=1.0) == 65.0  # the scheduler is what one waits for


def test_the_page_says_what_was_measured_and_what_was_not():
    name = "filterbank"
    measured = [Point(10, 1.0, 1e9), Point(20, 2.0, 2e9), Point(40, said="not measured: about 900 s")]
    cores = Cores({1: 10.0, 2: 6.0}, {1: [5.0, 5.0], 2: [5.5, 5.0]}, 4.0, {"local:2": 0.002}, {1: 80.0, 64: 10.0})
    text = scale.page({name: measured}, cores, "a machine", 3.2)
    assert "| 1.00 (1.00) | 36,000 | 240 |" in text  # sizes that an hour and 24 GB allow
    assert CURVES[name].beyond in text
    assert "| 40 | not measured: about 900 s |" in text
    assert "load average 3.2" in text
    assert "others worked on it too" in text
    assert "Not measured: training an autoencoder" in text
    assert "| 2 | 6.0 | 10.5 | 5.5 | 1.67 × |" in text
    assert "| 64 | 10 | 8.0 × | 12% |" in text


def test_memory_that_was_not_seen_to_grow_is_told_from_memory_that_does_not():
    curve, flat = CURVES["filterbank"], [Point(10, 1.0, 1e9), Point(20, 2.0, 1e9)]
    assert "| 36,000 | does not grow |" in scale._stops(curve, flat)
    assert "| 36,000 | not seen |" in scale._stops(curve, [*flat, Point(40, said="not measured: about 900 s")])
    assert "| not measured | – | – |" in scale._stops(curve, flat[:1])


def test_the_parts_of_a_gpu_take_under_ten_minutes_together():
    assert sum(limit for limit, _ in PARTS.values()) < 600


def test_without_a_gpu_every_part_says_that_it_is_not_measured(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    bench.main(["--device", "cuda"])
    said = capsys.readouterr().out.split("| what |")[-1]
    assert all(f"| {name} | – | – | – | – | not measured: torch sees no CUDA GPU here |" in said for name in PARTS)


def test_what_is_measured_is_kept_as_it_ends(monkeypatch):
    kept = []
    monkeypatch.setattr(gpu, "limited", lambda name, *rest: [row(name, ours=1.0)])
    gpu.main(["defects", "vae"], True, lambda rows: kept.append([each["what"] for each in rows]))
    assert kept == [["defects"], ["defects", "vae"]]


@pytest.mark.slow
def test_a_part_that_fails_or_takes_too_long_says_so(capfd):
    (failed,) = gpu.limited("no such part", "cpu", True, 120)
    assert failed["note"] == "not measured: KeyError: 'no such part'"
    (stopped,) = gpu.limited("defects", "cpu", True, 0.1)
    assert stopped["note"] == "not measured: stopped after 0 s"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "no bench is called nothing"),
        (["scale", "metrics"], "no bench is called metrics"),
        (["--device", "cuda", "metrics"], "no bench is called metrics; there are autoencoder"),
        (["--tiny"], "--tiny belongs to --device cuda"),
        (["--device", "cuda", "--tiny", "--write"], "leave names and --tiny out"),
        (["metrics", "--write"], "leave names and --tiny out"),
    ],
)
def test_wrong_use_is_said(arguments, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        bench.main(arguments)
    assert message in capsys.readouterr().err
