"""Kept comparisons: read with date and fingerprint, left out where missing or old, and what always one method loses."""

import json

import pytest

from adkit.compare.protocol import FORMAT
from adkit.course.kept_pages import SETS, kept_pages, kept_regret, leaders, mean_over, regrets
from adkit.figures import rows
from adkit.metrics.significance import Difference
from tests.keep_comparison import keep, sources
from tests.regret import KEPT


def interval(mean):
    return {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}


def page(validation=22, fast=False, **pro):
    frames = {"train": 88, "validation": validation, "test": 110}
    protocol = {"dataset": "mvtec", "frames": frames, "fingerprint": "0123456789", "seeds": [0, 1, 2], "fast": fast}
    none = {"mean": None, "low": None, "high": None}
    methods = {
        name: {
            "metrics": {"pro": interval(value), "pixel_ap": none},
            "by_kind": {"crack": {"pro": interval(value / 2), "n": 3, "n_regions": 4}},
            "cost": {"fit_seconds": 3.0},
        }
        for name, value in pro.items()
    }
    gap = {"value": 0.2, "low": 0.1, "high": 0.3, "p": 0.01, "p_holm": 0.03, "shown": True}
    best = max(pro, key=pro.get)
    paired = {name: {"pro": gap} for name in pro if name != best}
    protocol |= {"format": FORMAT, "machine": {"device": "cpu, 1 threads"}}
    return {"protocol": protocol, "methods": methods, "best": best, "paired": paired, "problems": []}


def written(folder, **pages):
    for name, kept in pages.items():
        (folder / f"{name}.json").write_text(json.dumps(kept), encoding="utf-8")
    return folder


def test_a_page_gives_its_numbers_and_says_where_they_come_from(tmp_path, capsys):
    kept = page(vae=0.5, draem=0.7) | {"date": "2026-11-29"}
    found = kept_pages(["tiles", "leather"], written(tmp_path, tiles=kept, leather=page(validation=2, vae=0.4)))
    one = found["tiles"]
    assert (one.methods, one.best, one.types, one.few) == (["vae", "draem"], "draem", ["crack"], False)
    assert (one.regions, one.defective, one.normal) == (4, 3, 107)
    assert one.number("vae", "pro").low == 0.4
    assert one.number("vae", "pro", "crack").value == 0.25
    assert str(one.number("vae", "pixel_ap")).startswith("nan")
    assert str(one.number("vae", "none")).startswith("nan")
    assert one.means("pro") == {"vae": 0.5, "draem": 0.7}
    assert one.cost("vae") == {"fit_seconds": 3.0}
    assert one.gap("vae", "pro") == Difference(0.2, 0.1, 0.3, 0.01, 0.03)
    assert one.gap("draem", "pro") is None
    rows = one.rows({"draem": "DRAEM", "cork": "Cork"}, {"PRO": "pro"})
    assert rows == [{"": "DRAEM", "PRO": one.number("draem", "pro")}]
    assert (one.place("draem", "pro"), one.place("vae", "pro"), one.shown_behind()) == (1, 2, ["vae"])
    assert mean_over(found.values(), "vae", "pro") == pytest.approx(0.45)
    assert list(leaders([one], "pro")) == ["draem", "vae"]
    assert leaders(found.values(), "pro") == {"vae": pytest.approx(0.45)}
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("tiles: 2 methods, 3 seeds; 88 train, 22 validation, 110 test images; measured 2026-11-29")
    assert first.endswith("images 01234567, sources not noted")
    assert second.endswith("only 2 validation images")
    assert found["leather"].few


def test_what_is_missing_or_old_is_left_out_with_a_sentence(tmp_path, capsys):
    old = page(vae=0.5)
    del old["protocol"]["format"]
    written(tmp_path, tiles=old, aitex00=page(fast=True, vae=0.5))
    assert kept_pages(["tiles", "aitex00", "aitex02"], tmp_path) == {}
    assert capsys.readouterr().out == (
        "Left out: tiles (the page is of an older format), AITEX 00 (the page is of fast mode), "
        "AITEX 02 (no page is kept).\n"
    )
    assert set(kept_pages()) <= set(SETS)


def test_regret_is_measured_against_the_best_of_each_page(tmp_path):
    pages = kept_pages(
        ["tiles", "leather"], written(tmp_path, tiles=page(a=0.9, b=0.8, c=1.0), leather=page(a=0.2, b=0.5))
    )
    lost = regrets(pages)
    assert list(lost) == ["b", "a"]
    assert lost["b"] == pytest.approx({"tiles": 0.2, "leather": 0})
    assert lost["a"]["leather"] == pytest.approx(0.3)
    assert regrets({}) == {}


def test_the_regret_of_a_recommendation_comes_with_its_date(tmp_path, capsys):
    path = tmp_path / "regret.json"
    path.write_text(json.dumps({"date": "2026-11-29", "sets": {"tiles": {"recommended": "fusion"}}}))
    assert kept_regret(path) == {"tiles": {"recommended": "fusion"}}
    assert "measured 2026-11-29" in capsys.readouterr().out
    assert KEPT.parts[-4:] == ("notebooks", "results", "recommend", "regret.json")


def test_a_comparison_is_kept_with_date_and_sources(tmp_path, capsys):
    measured = tmp_path / "measured"
    measured.mkdir()
    (measured / "table.md").write_text("# tiles\n")
    (measured / "results.json").write_text(json.dumps(page(vae=0.5)))
    kept = keep("tiles", measured, tmp_path / "kept")
    assert (tmp_path / "kept" / "tiles.md").read_text() == "# tiles\n"
    assert "adkit.detectors.vae" in kept["sources"]
    assert kept["sources"] == sources("mvtec")
    assert not any(name.startswith("adkit.course") for name in kept["sources"])
    kept_pages(["tiles"], tmp_path / "kept")
    assert f"measured {kept['date']}" in (told := capsys.readouterr().out)
    assert "other sources" not in told
    for changed in ({"fingerprint": "0"}, {"sources": ["adkit.gone"]}):
        kept_pages(["tiles"], written(tmp_path, tiles=kept | changed))
        assert "other sources than today's" in capsys.readouterr().out
    (measured / "results.json").write_text(json.dumps(page(fast=True, vae=0.5)))
    with pytest.raises(SystemExit, match="fast mode"):
        keep("tiles", measured, tmp_path / "kept")


# ---- the figures of it


def test_differences_are_filled_where_they_are_shown():
    gaps = {"a − b": {"PRO": Difference(0.2, 0.1, 0.3, 0.01), "AP": Difference(0.0, -0.1, 0.1, 0.9)}, "a − c": {}}
    _fig, axes = rows.differences(gaps, label="a minus the others")
    faces = [ax.lines[-1].get_markerfacecolor() for ax in axes]
    assert faces == [rows.BLUE, "white"]
    assert [ax.texts[0].get_text() for ax in axes] == ["+0.200", "0.000"]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == list(gaps)
    with pytest.raises(ValueError, match="got none"):
        rows.differences({"a − b": {}})


def test_rows_of_unlike_numbers_have_their_own_scales():
    table = {"a": {"PRO": 0.7, "fit, s": 3.0}, "b": {"PRO": None, "fit, s": 90.0}}
    _fig, axes = rows.dot_rows(table, ["fit, s"])
    assert [ax.get_xscale() for ax in axes] == ["linear", "log"]
    assert [len(ax.lines) for ax in axes] == [1, 2]
    with pytest.raises(ValueError, match="those of 'b' are not"):
        rows.dot_rows({"a": {"s": 1.0}, "b": {"s": 0.0}}, ["s"])
    with pytest.raises(ValueError, match="got none"):
        rows.dot_rows({"a": {}})
