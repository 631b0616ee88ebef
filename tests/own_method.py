"""A learner's own method: ten lines outside the package, which join it by a name."""

import torch

from adkit.detectors import Detector, register


@register("mean-grey")
class MeanGreyDetector(Detector):
    """What is far from the mean grey of normal images is anomalous."""

    def _fit(self, train, validation):
        self.mean = torch.stack([train[i]["image"].mean() for i in range(len(train))]).mean()

    def _anomaly_map(self, images):
        return (images - self.mean.to(images)).abs().mean(dim=1)

    def _tensors(self):
        return {"mean": self.mean}

    def _restore(self, tensors):
        self.mean = tensors["mean"]
