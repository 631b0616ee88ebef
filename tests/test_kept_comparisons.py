"""Comparisons that lie beside the notebooks are read, those without a method are left out."""

import json

from adkit.course.kept_comparisons import kept_comparisons


def test_only_sets_with_all_methods_are_told(tmp_path):
    of = {name: {"metrics": {"pro": {"mean": value}}} for name, value in {"vae": 0.5, "draem": None}.items()}
    (tmp_path / "b.json").write_text(json.dumps({"methods": of}))
    (tmp_path / "a.json").write_text(json.dumps({"methods": {"vae": of["vae"]}}))
    assert kept_comparisons(["vae"], "pro", tmp_path) == {"a": {"vae": 0.5}, "b": {"vae": 0.5}}
    assert kept_comparisons(["vae", "draem"], "pro", tmp_path) == {"b": {"vae": 0.5, "draem": None}}
    assert kept_comparisons(["patchcore"], "pro", tmp_path) == {}
