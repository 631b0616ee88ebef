"""What an evaluation says, as numbers with names: of the whole test part, by defect type, by size, by image."""

from dataclasses import asdict, dataclass, field, fields


@dataclass(frozen=True, repr=False)
class Evaluation:
    """What a detector is worth on one test set. A value that cannot be computed is None, and ``notes`` says why.

    Attributes:
        image_auroc, image_ap: does the image score part defective from normal images?
        tile_auroc: does the maximum of a tile part defective from normal tiles, 256 pixels wide? None unless every
            image is at least two tiles long and has a mask.
        f1_at_threshold, false_positive_rate, recall: of the decisions at the detector's own threshold.
        f1_oracle: the best F1 of any threshold; nobody can reach it without the test labels.
        pixel_auroc, pixel_ap, pro: does the map find the defective pixels, and each defective region?
        pro_macro: mean PRO over the defect types, each type the same weight. In ``pro`` each *region* weighs the same,
            so a type with many regions decides it.
        pixel_f1_oracle, iou_at_threshold: of the masks, at the best and at the detector's own pixel threshold.
        threshold: the detector's own, of image scores.
        fpr_limit: the false positive rate up to which PRO was integrated.
        by_kind: defect type → ``n`` (images), ``n_regions``, ``recall``, ``image_auroc``, ``pixel_auroc``,
            ``pixel_ap``, ``pro``, and ``intervals``: name → [low, high], of ``recall``, ``image_auroc`` and ``pro``,
            for a type of at least two images.
        by_size: terciles of region area, small ones first: ``low``, ``high`` (pixels, None: no end), ``n_regions`` and
            ``pro``.
        intervals: name → (low, high), 95 % bootstrap over images, of all numbers but ``tile_auroc`` and
            ``iou_at_threshold``. They are those of this one detector: what another training would change, they do not
            say, see :func:`adkit.over_seeds`.
        images: one dict an image: ``path``, ``kind``, ``score``, ``flagged``.
        notes: name → reason.
    """

    image_auroc: float | None = None
    image_ap: float | None = None
    tile_auroc: float | None = None
    f1_at_threshold: float | None = None
    false_positive_rate: float | None = None
    recall: float | None = None
    f1_oracle: float | None = None
    pixel_auroc: float | None = None
    pixel_ap: float | None = None
    pro: float | None = None
    pro_macro: float | None = None
    pixel_f1_oracle: float | None = None
    iou_at_threshold: float | None = None
    threshold: float | None = None
    fpr_limit: float = 0.3
    by_kind: dict[str, dict] = field(default_factory=dict)
    by_size: list[dict] = field(default_factory=list)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    images: list[dict] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        names = ("image_auroc", "pixel_auroc", "pixel_ap", "pro", "pro_macro", "recall", "false_positive_rate")
        told = [f"{name} {value:.3f}" for name in names if (value := getattr(self, name)) is not None]
        kinds = f"{len(self.images)} images, {len(self.by_kind)} types of defect"
        return f"Evaluation({', '.join([*told, kinds, *(f'no {name}' for name in self.notes)])})"

    def __getitem__(self, name: str):
        return getattr(self, name)

    def as_dict(self) -> dict:
        """Plain data, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict) -> "Evaluation":
        """The inverse of :meth:`as_dict`, also after a trip through JSON."""
        known = {f.name for f in fields(cls)}
        intervals = {name: tuple(pair) for name, pair in stored.get("intervals", {}).items()}
        return cls(**{name: value for name, value in stored.items() if name in known} | {"intervals": intervals})
