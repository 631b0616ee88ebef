"""Fabric presets: what a weaver would write on the card of a cloth."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fabric:
    """One fabric as the line camera sees it.

    Pairs are (warp, weft). Lengths are in pixels, thickness in pitches, variations are relative standard deviations.
    """

    weave: str  # a name in WEAVES
    pitch: tuple[float, float]  # px from yarn to yarn
    thickness: tuple[float, float]  # diameter of a yarn in pitches
    albedo: tuple[float, float]  # reflectance of a yarn, 0 to 1
    exposure: float  # grey level of a crest of albedo 1 in full light
    roundness: float = 0.8  # height of a yarn's bulge against the lift of a crossing
    depth: float = 0.55  # how much of the light is lost in the valleys, 0 to 1
    relief: float = 0.16  # strength of shading by slope
    uneven: float = 0.04  # from yarn to yarn
    slub: float = 0.06  # slow change along a yarn
    fibre: float = 0.10  # fine hairs along a yarn
    drift: float = 0.5  # tension: slow bending of the grid, in yarns
    blur: float = 0.8  # px, standard deviation of the optics


FABRICS: dict[str, Fabric] = {
    "calico": Fabric(
        weave="plain", pitch=(7.2, 6.6), thickness=(0.86, 0.90), albedo=(0.74, 0.78), exposure=236.0, slub=0.08
    ),
    "gabardine": Fabric(
        weave="twill_2_1", pitch=(6.0, 6.8), thickness=(0.92, 0.84), albedo=(0.70, 0.54), exposure=225.0, depth=0.65
    ),
    "denim": Fabric(
        weave="twill_3_1",
        pitch=(7.0, 8.0),
        thickness=(0.90, 0.86),
        albedo=(0.42, 0.78),
        exposure=200.0,
        uneven=0.07,
        slub=0.10,
        fibre=0.16,
    ),
    "sateen": Fabric(
        weave="sateen_5",
        pitch=(6.4, 5.6),
        thickness=(0.80, 0.98),
        albedo=(0.70, 0.82),
        exposure=226.0,
        depth=0.45,
        uneven=0.03,
        slub=0.04,
    ),
    "hopsack": Fabric(
        weave="basket_2_2",
        pitch=(5.4, 5.6),
        thickness=(0.84, 0.86),
        albedo=(0.62, 0.50),
        exposure=226.0,
        uneven=0.08,
        slub=0.10,
        fibre=0.14,
        drift=0.7,
    ),
}
