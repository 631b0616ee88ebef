"""Self-made files in the layouts of published sets, a few each."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.data_files import write_image, write_mask


def fill(folder: Path, count: int, seed: int, suffix=".png", first=0, digits=3) -> list[Path]:
    return [write_image(folder / f"{first + i:0{digits}d}{suffix}", seed=seed + i) for i in range(count)]


def write_label(path: Path, value=255, box=(4, 5, 9, 12), size=(24, 32)) -> Path:
    """A mask of one value; value 0 is black."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(size, np.uint8)
    mask[box[0] : box[2], box[1] : box[3]] = value
    Image.fromarray(mask).save(path)
    return path


def write_ad2(root: Path) -> Path:
    folder = root / "can"
    for part, seed, count in (("train/good", 0, 12), ("validation/good", 100, 3), ("test_public/good", 200, 4)):
        fill(folder / part, count, seed)
    for file in fill(folder / "test_public/bad", 3, 300):
        write_mask(folder / f"test_public/ground_truth/bad/{file.stem}_mask.png")
    fill(folder / "test_private", 2, 400)
    fill(folder / "test_private_mixed", 2, 500)
    return root


def write_loco(root: Path) -> Path:
    folder = root / "screw_bag"
    for part, seed, count in (("train/good", 0, 12), ("validation/good", 100, 3), ("test/good", 200, 4)):
        fill(folder / part, count, seed)
    for k, kind in enumerate(("logical_anomalies", "structural_anomalies")):
        for file in fill(folder / "test" / kind, 2, 300 + 50 * k):
            truth = folder / "ground_truth" / kind / file.stem
            write_label(truth / "000.png", value=236, box=(0, 0, 2, 2))
            write_label(truth / "001.png", value=251, box=(5, 5, 7, 7))
    (root / "screw_bag/defects_config.json").write_text("[]")
    return root


def write_visa(root: Path, split=True) -> Path:
    folder = root / "candle"
    normal = fill(folder / "Data/Images/Normal", 16, 0, ".JPG", digits=4)
    bad = fill(folder / "Data/Images/Anomaly", 3, 100, ".JPG")
    for k, file in enumerate(bad):
        write_label(folder / f"Data/Masks/Anomaly/{file.stem}.png", value=k + 1)
    rows = ["image,label,mask", *(f"candle/Data/Images/Normal/{file.name},normal," for file in normal)]
    rows += [
        f'candle/Data/Images/Anomaly/{file.name},"{"melt,dent" if k else "melt"}",candle/Data/Masks/Anomaly/{k:03d}.png'
        for k, file in enumerate(bad)
    ]
    (folder / "image_anno.csv").write_text("\n".join(rows))
    if split:
        rows = ["object,split,label,image,mask"]
        for k, file in enumerate(normal):
            rows.append(f"candle,{'train' if k < 12 else 'test'},normal,{file.relative_to(root).as_posix()},")
        for k, file in enumerate(bad):
            rows.append(
                f"candle,test,anomaly,{file.relative_to(root).as_posix()},candle/Data/Masks/Anomaly/{k:03d}.png"
            )
        (root / "split_csv").mkdir()
        (root / "split_csv/1cls.csv").write_text("\n".join(rows))
    return root


def write_btad(root: Path) -> Path:
    for k, name in enumerate(("01", "02", "03")):
        fill(root / name / "train/ok", 12, 1000 * k, ".bmp", digits=4)
        fill(root / name / "test/ok", 4, 1000 * k + 100, ".bmp", digits=4)
        for file in fill(root / name / "test/ko", 2, 1000 * k + 200, ".bmp", digits=4):
            write_mask(root / name / f"ground_truth/ko/{file.stem}.png")
    return root


def write_ksdd(root: Path) -> Path:
    for item in range(3):
        for part in range(8):
            folder = root / f"kos{item + 1:02d}"
            write_image(folder / f"Part{part}.jpg", seed=100 * item + part)
            write_label(folder / f"Part{part}_label.bmp", value=255 if part == item else 0)
    return root


def write_ksdd2(root: Path) -> Path:
    for part, first, count in (("train", 10000, 14), ("test", 20000, 8)):
        for i, file in enumerate(fill(root / part, count, first, first=first, digits=5)):
            write_label(root / part / f"{file.stem}_GT.png", value=255 if i < 2 else 0)
    return root


def write_dagm(root: Path) -> Path:
    for k in (1, 2):
        for part, first, count in (("Train", 576, 14), ("Test", 1, 8)):
            folder = root / f"Class{k}" / part
            for i, file in enumerate(fill(folder, count, 10_000 * k + first, ".PNG", first=first, digits=4)):
                if i < 2:
                    write_mask(folder / "Label" / f"{file.stem}_label.PNG")
            (folder / "Label/Labels.txt").write_text("1\n")
    return root


def write_mpdd(root: Path) -> Path:
    for k, name in enumerate(("bracket_black", "metal_plate")):
        fill(root / name / "train/good", 12, 1000 * k)
        fill(root / name / "test/good", 4, 1000 * k + 100)
        for file in fill(root / name / "test/hole", 2, 1000 * k + 200):
            write_mask(root / name / f"ground_truth/hole/{file.stem}_mask.png")
    return root


def write_magnetic_tile(root: Path) -> Path:
    for kind, count, seed in (("Free", 20, 0), ("Blowhole", 3, 100), ("Crack", 2, 200)):
        for i in range(count):
            stem = f"exp{i % 2 + 1}_num_{4000 + seed + i}"
            write_image(root / f"MT_{kind}/Imgs/{stem}.jpg", seed=seed + i)
            write_label(root / f"MT_{kind}/Imgs/{stem}.png", value=0 if kind == "Free" else 255)
    return root


def write_manifest(root: Path) -> Path:
    rows = ["path;label;mask;split;source"]
    for i, file in enumerate(fill(root / "pictures", 20, 0)):
        rows.append(f"{file.relative_to(root).as_posix()};ok;;{'validation' if i < 4 else ''};part {i // 2}")
    for file in fill(root / "more", 3, 100):
        mask = write_mask(root / f"drawn/{file.stem}.png")
        rows.append(f"more/{file.name};scratch;drawn/{mask.name};test;")
    rows.append(f"more/{write_image(root / 'more/900.png', seed=900).name};;;;")
    (root / "manifest.csv").write_text("\n".join(rows), encoding="utf-8-sig")
    return root
