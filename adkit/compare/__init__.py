"""Every method of the course under one protocol: the same images, choices by validation normals, several seeds.

In a notebook:

>>> from adkit.compare import compare, report
>>> comparison = compare(["autoencoder", "patchcore"], dataset="textile", seeds=3)  # doctest: +SKIP
>>> report.table(comparison, "paired")  # doctest: +SKIP

and from a shell, where ``--help`` tells the rest:

    python -m adkit.compare --dataset aitex --root DIR --category 02 --methods all --seeds 3 --out DIR
"""

from adkit.compare.comparison import Comparison, Problem
from adkit.compare.methods import METHODS
from adkit.compare.protocol import compare

__all__ = ["METHODS", "Comparison", "Problem", "compare"]
