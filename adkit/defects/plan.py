"""Which defect of which type lies on which image of a batch: decided on the host, before any pixel is touched."""

from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.defects.sampler import to_device


@dataclass(frozen=True)
class PlannedDefect:
    """One defect to make.

    Attributes:
        type_number: place of its type in the mixture's list.
        image: place of its image in the batch.
        layer: 0 for the first defect of its image, 1 for the second, ….
    """

    type_number: int
    image: int
    layer: int


class Plan:
    """The n defects of a batch of B images, decided on the host and sorted by type.

    Args:
        defects: in any order; those of one image have one type, and layers 0, 1, ….
        images: the batch (B, C, H, W).
    """

    def __init__(self, defects: list[PlannedDefect], images: Tensor):
        self.defects = sorted(defects, key=lambda defect: defect.type_number)
        self.batch_size, self.device = len(images), images.device
        self.image_index = to_device([defect.image for defect in self.defects], images.device)  # (n,)
        # One defect for each image, in order, as a mixture of Perlin noise alone has it: then values by defect are
        # values by image. To copy them all the same would take 10 to 90 % longer (8 x 3 x 256 x 256: 90 %).
        self.one_each = [defect.image for defect in self.defects] == list(range(len(images)))

    def places_by_type(self) -> list[tuple[int, slice]]:
        """The number of each type that occurs, and where its defects lie among the n."""
        numbers = [defect.type_number for defect in self.defects]
        firsts = {number: numbers.index(number) for number in sorted(set(numbers))}
        return [(number, slice(first, first + numbers.count(number))) for number, first in firsts.items()]

    def for_defects(self, values: Tensor) -> Tensor:
        """Values by image as values by defect.

        Args:
            values: (B, …).

        Returns:
            (n, …); the values themselves where there is one defect for each image, in order.
        """
        return values if self.one_each else values.index_select(0, self.image_index)

    def sum_for_images(self, values: Tensor) -> Tensor:
        """Values by defect, added up by image.

        Args:
            values: (n, …) float.

        Returns:
            (B, …); the values themselves where there is one defect for each image, in order.
        """
        if self.one_each:
            return values
        zeros = torch.zeros(self.batch_size, *values.shape[1:], device=self.device)
        return zeros.index_add_(0, self.image_index, values)

    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """For the first defect of each image, the second, …: places among the n, and the images they lie on.

        None at all where there is one for each image, in order.
        """
        if self.one_each:
            return []
        depths = range(1 + max(defect.layer for defect in self.defects))
        places = [[place for place, defect in enumerate(self.defects) if defect.layer == depth] for depth in depths]
        indices = [to_device(layer, self.device) for layer in places]
        return [(index, self.image_index[index]) for index in indices]

    def kind_of_images(self, visible: Tensor) -> Tensor:
        """Type number (B,) of each image, -1 where no defect was planned or none is visible.

        Args:
            visible: (n,) bool, of each defect.
        """
        planned = dict.fromkeys(range(self.batch_size), -1)
        planned |= {defect.image: defect.type_number for defect in self.defects}
        any_visible = self.sum_for_images(visible.float()) > 0
        return to_device(list(planned.values()), self.device).masked_fill_(~any_visible, -1)
