"""Pictures with a palette: what is kept exactly, what may differ and by how much, and that nothing else changes."""

import base64
import io
import json
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pytest
from PIL import Image

from tests.palette import LIMIT, SCALES, STEPS, main, palette_png, smaller_notebook

BLUE = (0, 114, 178)


def png_of(pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def pixels_of(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def figure():
    """Paper with rough cloth at the left, a heat map and a thin contour in the middle, and a grey ramp at the right."""
    draw = np.random.default_rng(0)
    pixels = np.full((120, 400, 3), 255, np.uint8)
    pixels[10:110, 10:130] = draw.normal(110, 25, (100, 120, 1)).clip(0, 250)
    heat = np.add.outer(np.linspace(0, 0.5, 100), np.linspace(0, 0.5, 120))
    pixels[10:110, 140:260] = matplotlib.colormaps["inferno"](heat, bytes=True)[..., :3]
    pixels[50, 150:250] = BLUE
    pixels[10:110, 270:390] = np.linspace(60, 160, 120)[:, None]
    return pixels


@pytest.mark.parametrize("step", STEPS)
def test_paper_contours_and_heat_maps_stay(figure, step):
    png = png_of(figure)
    converted = palette_png(png, step)
    assert len(converted) < 0.6 * len(png)
    with Image.open(io.BytesIO(converted)) as picture:
        assert picture.mode == "P"
    difference = np.abs(pixels_of(converted) - figure)
    assert difference[:, :10].max() == 0  # paper
    assert difference[10:110, 141:259].max() <= 8  # no wider than a few entries of the colour map
    assert difference[50, 160:240].max() <= 4
    assert difference[11:109, 271:389].max() <= step / 8 + 1  # a smooth ramp does not band
    assert difference[11:109, 11:129].max() <= step / 2 + 1
    cloth = pixels_of(converted)[11:109, 11:129]
    assert cloth.mean() == pytest.approx(figure[11:109, 11:129].mean(), abs=1)  # neither brighter nor darker


def test_few_colours_are_exact(figure):
    flat = np.where(figure.mean(axis=2, keepdims=True) > 128, (255, 255, 255), BLUE).astype(np.uint8)
    assert (pixels_of(palette_png(png_of(flat), STEPS[-1])) == flat).all()


def test_what_has_a_palette_stays_as_it_is(figure):
    converted = palette_png(png_of(figure))
    assert palette_png(converted, STEPS[-1]) is converted
    assert palette_png(grey := png_of(figure[..., 0])) is grey


def test_a_picture_that_one_sees_through_stays_as_it_is(figure):
    alpha = np.full((*figure.shape[:2], 1), 255, np.uint8)
    opaque = png_of(np.concatenate([figure, alpha], axis=2))
    assert (pixels_of(palette_png(opaque)) == pixels_of(palette_png(png_of(figure)))).all()
    alpha[0, 0] = 254
    assert palette_png(png := png_of(np.concatenate([figure, alpha], axis=2))) is png


# -- files ---------------------------------------------------------------------------------------------------------


def notebook_with(*pngs: bytes) -> str:
    outputs = [
        nbformat.v4.new_output("display_data", data={"image/png": base64.b64encode(png).decode(), "text/plain": "<ä>"})
        for png in pngs
    ]
    outputs.append(nbformat.v4.new_output("stream", text="one\ntwo\n"))
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("1", outputs=outputs)]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells))


def pictures_of(text: str) -> list[str]:
    outputs = json.loads(text)["cells"][1]["outputs"]
    return [output["data"]["image/png"] for output in outputs if "data" in output]


def test_only_pictures_change_and_only_once(figure):
    before = notebook_with(png_of(figure), png_of(figure[:50]), png_of(figure))
    after = smaller_notebook(before)
    assert [len(picture) for picture in pictures_of(after)] < [len(picture) for picture in pictures_of(before)]
    for old, new in zip(pictures_of(before), pictures_of(after), strict=True):
        before = before.replace(old, new)
    assert after == before
    assert smaller_notebook(after) == after


def test_a_notebook_is_as_fine_as_its_size_allows(figure):
    text = notebook_with(png_of(figure))
    sizes = [len(notebook_with(palette_png(png_of(figure), step)).encode()) for step in STEPS]
    assert sizes == sorted(sizes, reverse=True)
    limits = {sizes[0]: 0, sizes[0] - 1: 1, sizes[2]: 2, 10: -1}
    for limit, choice in limits.items():
        assert len(smaller_notebook(text, limit).encode()) == sizes[choice]


def test_a_wide_picture_becomes_smaller_where_levels_do_not_suffice(figure):
    text = notebook_with(png_of(np.concatenate([figure, figure], axis=1)))
    coarse = len(notebook_with(palette_png(png_of(np.concatenate([figure, figure], axis=1)), STEPS[-1])).encode())
    for limit in (0.9 * coarse, 0.6 * coarse):
        after = smaller_notebook(text, int(limit))
        assert len(after.encode()) <= limit
        (picture,) = pictures_of(after)
        assert pixels_of(base64.b64decode(picture)).shape[1] in [round(scale * 800) for scale in SCALES]
        assert smaller_notebook(after, int(limit)) == after


def test_a_picture_in_several_lines_is_refused(figure):
    text = notebook_with(png_of(figure))
    (picture,) = pictures_of(text)
    scattered = text.replace(picture, picture[:76] + "\\n" + picture[76:])
    with pytest.raises(ValueError, match="1 pictures are written over several lines; execute the notebook again"):
        smaller_notebook(scattered)


def test_the_command_converts_notebooks_and_pictures(figure, tmp_path, capsys):
    (tmp_path / "a.ipynb").write_text(notebook_with(png_of(figure)), encoding="utf-8")
    (tmp_path / "b.png").write_bytes(png_of(figure))
    paths = [str(tmp_path / name) for name in ("a.ipynb", "b.png")]
    main(paths)
    assert capsys.readouterr().out.count(" kB, now ") == 2
    converted = [path.read_bytes() for path in sorted(tmp_path.glob("?.*"))]
    main(paths)
    assert [path.read_bytes() for path in sorted(tmp_path.glob("?.*"))] == converted
    assert palette_png(png_of(figure)) == converted[1]


def test_no_committed_notebook_is_larger_than_the_limit():
    for path in sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb")):
        assert path.stat().st_size <= LIMIT, f"{path.name}: run python -m tests.palette notebooks/{path.name}"
