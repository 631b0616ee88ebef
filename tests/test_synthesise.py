"""A drawn test set on disk: its layout, its masks, what a kill leaves, and what is refused."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from adkit import load_dataset
from adkit.__main__ import main
from adkit.data import check, read_image
from adkit.data.textile import Textile
from adkit.defects import register_defect, unregister_defect
from adkit.defects import synthesise as drawing
from adkit.defects.synthesise import DESCRIPTION, synthesise

KINDS = ["stain", "line", "brightness"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Ten good frames as files, and a folder of defects that must not be used."""
    root = tmp_path_factory.mktemp("photos")
    for k in range(10):
        (root / "good").mkdir(exist_ok=True)
        Image.fromarray(Textile("denim", (48, 64)).weave(k)[0]).save(root / f"good/{k:03d}.png")
    (root / "torn").mkdir()
    (root / "ground_truth/torn").mkdir(parents=True)
    image, mask = Textile("denim", (48, 64)).weave(99, "bright")
    Image.fromarray(image).save(root / "torn/000.png")
    Image.fromarray(mask).save(root / "ground_truth/torn/000.png")
    return root


@pytest.fixture(scope="module")
def splits_of_photos(photos):
    return load_dataset("folder", root=photos)


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_set_is_read_as_any_other_and_no_source_is_in_two_parts(splits_of_photos, tmp_path):
    made = synthesise(splits_of_photos, tmp_path / "drawn", n=7, kinds=KINDS, quiet=True)
    assert made.fresh
    assert {kind: made.images[kind] for kind in KINDS} == {"stain": 3, "line": 2, "brightness": 2}
    report = check(made.folder, name="mvtec")
    assert not [line for line in report.problems if "cannot be read" in line or "mask" in line]
    read = load_dataset("mvtec", root=made.folder, category="drawn")
    assert sorted(read.test.defect_types) == sorted(KINDS)
    assert int(read.test.labels.sum()) == 7
    rows = json.loads((made.folder / DESCRIPTION).read_text())["images"]
    sources = {part: {row["source"] for row in rows if row["path"].startswith(part)} for part in ("train", "test")}
    assert sources["train"]
    assert not sources["train"] & sources["test"]
    assert not any("torn" in row["source"] for row in rows)


def test_images_are_the_sources_bit_for_bit_outside_the_masks(splits_of_photos, tmp_path, photos):
    made = synthesise(splits_of_photos, tmp_path / "drawn", n=6, kinds=KINDS, quiet=True)
    for row in json.loads((made.folder / DESCRIPTION).read_text())["images"]:
        drawn = np.asarray(Image.open(made.folder / row["path"]))
        plain = np.asarray(Image.open(photos / row["source"]))
        if row["kind"] == "good":
            assert np.array_equal(drawn, plain)
            continue
        name = row["path"].replace("test/", "ground_truth/").replace(".png", "_mask.png")
        mask = np.asarray(Image.open(made.folder / name))
        assert set(np.unique(mask)) == {0, 255}
        assert np.array_equal(drawn[mask == 0], plain[mask == 0])
        assert (drawn[mask > 0] != plain[mask > 0]).any()


def test_a_seed_draws_others_and_the_same_seed_the_same(splits_of_photos, tmp_path):
    first, again, other = (
        files(synthesise(splits_of_photos, tmp_path / name, 4, ["stain"], seed, quiet=True).folder)
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    )
    assert first == again
    assert first.keys() == other.keys()
    assert first["test/stain/0000.png"] != other["test/stain/0000.png"]
    assert first["train/good/0000.png"] == other["train/good/0000.png"]


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(splits_of_photos, tmp_path, monkeypatch):
    expected = files(synthesise(splits_of_photos, tmp_path / "whole", 6, KINDS, quiet=True).folder)
    draw, drawn = drawing._defective, []

    def killed(*arguments):
        if len(drawn) == 3:
            raise KeyboardInterrupt
        drawn.append(arguments[1])
        return draw(*arguments)

    monkeypatch.setattr(drawing, "_defective", killed)
    with pytest.raises(KeyboardInterrupt):
        synthesise(splits_of_photos, tmp_path / "set", 6, KINDS, quiet=True)
    assert not (tmp_path / "set").exists()  # whole or not at all
    (left,) = tmp_path.glob("set.*.unfinished")
    # a mask whose image was still to come
    (left / "ground_truth/stain/0003_mask.png").write_bytes((left / "ground_truth/stain/0000_mask.png").read_bytes())
    monkeypatch.setattr(drawing, "_defective", draw)
    written = (left / "test/stain/0000.png").stat().st_mtime_ns
    made = synthesise(splits_of_photos, tmp_path / "set", 6, KINDS, quiet=True)
    assert files(made.folder) == expected
    assert (made.folder / "test/stain/0000.png").stat().st_mtime_ns == written
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_set_that_is_there_stays_and_another_is_refused(splits_of_photos, tmp_path):
    made = synthesise(splits_of_photos, tmp_path / "set", 2, ["stain"], quiet=True)
    before = files(made.folder)
    same = synthesise(splits_of_photos, tmp_path / "set", 2, ["stain"], quiet=True)
    assert not same.fresh
    assert same.images == made.images
    with pytest.raises(FileExistsError, match="made with other settings, or from other images"):
        synthesise(splits_of_photos, tmp_path / "set", 3, ["stain"], quiet=True)
    assert files(made.folder) == before
    (tmp_path / "other").mkdir()
    with pytest.raises(FileExistsError, match="no such set"):
        synthesise(splits_of_photos, tmp_path / "other", 2, ["stain"], quiet=True)


def test_deep_grey_keeps_its_depth_and_colour_its_channels(tmp_path):
    random = np.random.default_rng(0)
    for k in range(10):
        (tmp_path / "deep").mkdir(exist_ok=True)
        (tmp_path / "colour").mkdir(exist_ok=True)
        grey = random.integers(0, 65535, (40, 40)).astype(np.uint16)
        Image.fromarray(grey).save(tmp_path / f"deep/{k}.png")
        Image.fromarray(random.integers(0, 255, (40, 40, 3)).astype(np.uint8)).save(tmp_path / f"colour/{k}.png")
    for name, expected in (("deep", "uint16"), ("colour", "uint8")):
        splits = load_dataset("folder", root=tmp_path / name)
        made = synthesise(splits, tmp_path / f"{name}_drawn", 2, ["stain"], quiet=True)
        pixels = np.asarray(Image.open(made.folder / "test/stain/0000.png"))
        assert str(pixels.dtype) == expected or (expected == "uint16" and pixels.max() > 255)
        source = np.asarray(Image.open(tmp_path / name / json_of(made)[0]["source"].split("/")[-1]))
        assert np.array_equal(np.asarray(Image.open(made.folder / json_of(made)[0]["path"])), source)
        shutil.rmtree(made.folder)


def json_of(made):
    return json.loads((made.folder / DESCRIPTION).read_text())["images"]


def test_a_defect_of_ones_own_is_drawn_and_an_edited_one_makes_another_set(splits_of_photos, tmp_path):
    @register_defect("hole")
    def hole(images, sampler):
        row, column = sampler.grid
        centre = sampler.centres()[:, :, None, None]
        inside = (row - centre[:, 0]).square() + (column - centre[:, 1]).square() < 25
        return images.masked_fill(inside[:, None], 0.0), inside

    try:
        made = synthesise(splits_of_photos, tmp_path / "set", 2, ["hole"], quiet=True)
        mask = read_image(made.folder / "ground_truth/hole/0000_mask.png")[0] > 0.5
        assert (read_image(made.folder / "test/hole/0000.png")[0][mask] == 0).all()

        @register_defect("hole")
        def smaller(images, sampler):
            row, column = sampler.grid
            centre = sampler.centres()[:, :, None, None]
            inside = (row - centre[:, 0]).square() + (column - centre[:, 1]).square() < 9
            return images.masked_fill(inside[:, None], 0.0), inside

        with pytest.raises(FileExistsError, match="other settings"):
            synthesise(splits_of_photos, tmp_path / "set", 2, ["hole"], quiet=True)

        @register_defect("hole")
        def nothing(images, sampler):
            return images, images[:, 0] > 2

        with pytest.raises(ValueError, match="hole drew nothing that can be seen in 20 attempts"):
            synthesise(splits_of_photos, tmp_path / "none", 2, ["hole"], quiet=True)
    finally:
        unregister_defect("hole")
    with pytest.raises(ValueError, match="hole"):
        synthesise(splits_of_photos, tmp_path / "gone", 2, ["hole"], quiet=True)


def test_what_cannot_be_drawn_is_refused(splits_of_photos, photos, tmp_path):
    for wrong in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="n must be a positive whole number"):
            synthesise(splits_of_photos, tmp_path / "set", wrong)
    with pytest.raises(ValueError, match="these are cut into tiles"):
        synthesise(load_dataset("folder", root=photos, tile=32), tmp_path / "set")
    with pytest.raises(ValueError, match="size"):
        synthesise(splits_of_photos, tmp_path / "set", 2, ["stain"], size=(0.3, 0.1))
    assert not list(tmp_path.iterdir())


def test_the_command(photos, tmp_path, capsys):
    words = ["synthesise", str(photos), "--out", str(tmp_path / "drawn"), "--n", "3", "--kinds", *KINDS, "--quiet"]
    assert main(words) == 0
    assert "written:" in capsys.readouterr().out
    assert main(words) == 0
    assert "already there:" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main([*words[:-1], "--seed", "5"])
    assert "exists and holds a set that was made with other settings" in capsys.readouterr().err
