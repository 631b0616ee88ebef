"""One image beside what a detector makes of it, as a picture for people."""

from pathlib import Path

from adkit.data import AnomalyDataset
from adkit.detectors.folder_report import prediction_panels, write_picture
from adkit.detectors.prediction import Prediction, Reconstruction


def save_comparison(
    dataset: AnomalyDataset,
    prediction: Prediction,
    pixel_threshold: float,
    reconstructed: list[Reconstruction] | None,
    path: str | Path,
) -> Path:
    """Write the panels of one image, as those of :meth:`adkit.detectors.judging.Judge.predict_folder`.

    Args:
        dataset: of this one image, prepared for the detector.
        prediction: what the detector says of it.
        pixel_threshold: of the detector; it sets the scale of the colours.
        reconstructed: the image as the detector reconstructs it, in a list; None: it does not.
        path: of the picture, ending in .png; the file appears whole or not at all.

    Returns:
        The path.

    Raises:
        ValueError: if the path ends in something else.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() != ".png":
        raise ValueError(f"save must end in .png, got {str(path)!r}; other formats blur what a map shows")
    # the image as it is on disk, whatever the network sees of it
    seen = AnomalyDataset(dataset.samples, channels=3, bits=dataset.bits)[0]["image"].numpy()
    reconstruction = reconstructed[0] if reconstructed else None
    write_picture(prediction_panels(seen, prediction, pixel_threshold, reconstruction), path)
    return path
