"""Fits that are kept: under the hash of settings, normal images and the sources that a fit runs, and of nothing else.

What judges a detector is no part of that hash, so a changed metric, another test part or another selection finds the
training where it lies.
"""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.storage import load_detector
from adkit.experiments import cache
from adkit.experiments.sources import with_own_defects
from adkit.runtime.processes import led, process_count

KIND = "fitted"  # the folder under ADKIT_HOME
DETECTOR = "detector"  # the folder of a saved detector in an entry
# settings that do not change what is learned
UNCOUNTED = ("device", "quiet")


def fit_key(name: str, settings: Mapping, images: list[str], sources: str) -> dict:
    """All that a fit depends on; the number of processes that train together is a part of it.

    Args:
        name: of the class that is fitted.
        settings: all of them, the defaults too; those that change nothing are left out here.
        images: fingerprints of what it learns from.
        sources: hash of the sources that the fit runs, see :func:`adkit.experiments.sources.source_hash`.
    """
    counted = {setting: value for setting, value in settings.items() if setting not in UNCOUNTED}
    key = {"class": name, "settings": counted, "data": images, "sources": sources}
    processes = process_count()
    return key | {"processes": processes} if processes > 1 else key


def fit_once(key: Mapping, fit: Callable[[Path], None], force: bool = False) -> cache.Entry:
    """The entry of a fit; ``seconds`` in its content tells what the fit took.

    Args:
        key: of :func:`fit_key`.
        fit: fits, and saves what was fitted, into a folder.
        force: fit even if it was done before.
    """

    def work(folder: Path, part: Callable[[Path], object]) -> dict:
        start = time.perf_counter()
        part(folder)
        return {"seconds": {"fit": time.perf_counter() - start}}

    return led(lambda part: cache.cached(KIND, key, lambda folder: work(folder, part), force), fit)


def detector_key(detector: Detector, train: AnomalyDataset, validation: AnomalyDataset, sources: str) -> dict:
    """All that a fitted detector depends on.

    Args:
        detector: its class and its settings count.
        train: normal images to learn from.
        validation: held-out normal images, which set the thresholds.
        sources: as in :func:`fit_key`.
    """
    images = [train.fingerprint, validation.fingerprint]
    settings = asdict(detector.settings)
    return fit_key(type(detector).__name__, settings, images, with_own_defects(sources, settings))


def detector_once(
    detector: Detector,
    train: AnomalyDataset,
    validation: AnomalyDataset,
    sources: str,
    force: bool = False,
    sources_of: Callable[[type], str] | None = None,
) -> cache.Entry:
    """A fitted detector, saved in ``detector/`` of an entry; a fit that was killed goes on from its last checkpoint.

    Args:
        detector: its class and its settings count, and it stays as it is.
        train: normal images to learn from.
        validation: held-out normal images, which set the thresholds.
        sources: as in :func:`fit_key`.
        force: fit even if it was done before.
        sources_of: the same for any class of detectors: with it, a fusion takes members that are kept already, and
            keeps those that it fits.
    """

    def fit_member(member: Detector, *images: AnomalyDataset) -> Detector:
        kept = detector_once(member, *images, sources_of(type(member)), sources_of=sources_of)
        return load_detector(kept.folder / DETECTOR, device=member.settings.device)

    def fit(folder: Path) -> None:
        fresh = detector.fresh()
        if sources_of is not None and type(detector).joins_methods:
            fresh.fit_member = fit_member
        fresh.quiet, fresh.checkpoint = detector.quiet, folder / cache.CHECKPOINT
        fresh.fit(train, validation).save(folder / DETECTOR)

    return fit_once(detector_key(detector, train, validation, sources), fit, force)


def link_folder(source: Path, target: Path) -> None:
    """The files of a folder under a second name: as hard links where the file system has them, else as copies.

    Saved detectors are replaced, never written into, so that neither name can spoil the other.

    Args:
        source: the folder.
        target: its second name; what lies there goes.
    """

    def link(file: str, name: str) -> None:
        try:
            os.link(file, name)
        except OSError:
            shutil.copy2(file, name)

    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=link)
