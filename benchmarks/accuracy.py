"""Trainings of Chainrule in this process, each to an accuracy; its side of `time_to_accuracy.py`.

python -m benchmarks.accuracy CNN --seed 0
python -m benchmarks.accuracy W3 --seed 0 1 2
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from benchmarks.recipes import ALONE, RECIPES, START, WARM_UP

import chainrule as cr

Samples = tuple[Any, Any]  # x, labels


def layers(name: str) -> list[cr.Layer]:
    """The layers of a recipe."""
    image = cr.Reshape((1, 28, 28))
    if name == "MLP":
        return [cr.Linear(128), cr.ReLU(), cr.Linear(10)]
    if name == "E3":
        return [image, cr.Conv2D(20, 5), cr.ReLU(), cr.MaxPool2D(2), cr.Flatten(), cr.Linear(10)]
    if name == "ELASTIC":
        distortions = cr.Augment(elastic=34, smoothness=5)
        return [image, distortions, cr.Flatten(), cr.Linear(800, weights=cr.He()), cr.ReLU(), cr.Linear(10)]
    if name == "AUGMENTED":
        return [image, cr.Augment(shift=2, rotation=10, scale=0.1, elastic=15, smoothness=4), *deep()]
    blocks = [[cr.Conv2D(channels, 5), cr.ReLU(), cr.MaxPool2D(2)] for channels in (16, 32)]
    return [image, *blocks[0], *blocks[1], cr.Flatten(), cr.Linear(64), cr.ReLU(), cr.Linear(10)]


def convolution(channels: int, size: int, padding: int | str = 0) -> list[cr.Layer]:
    """A convolution of the network for augmented images."""
    return [cr.Conv2D(channels, size, padding=padding, weights=cr.He()), cr.BatchNorm(), cr.ReLU()]


def deep() -> list[cr.Layer]:
    """Four convolutions and 128 units before the last layer."""
    return [
        *convolution(32, 5, "same"),
        cr.MaxPool2D(2),
        *convolution(64, 3, "same"),
        *convolution(64, 3, "same"),
        cr.MaxPool2D(2),
        *convolution(128, 3),
        cr.Flatten(),
        cr.Dropout(0.4),
        cr.Linear(128, weights=cr.He()),
        cr.ReLU(),
        cr.Dropout(0.4),
        cr.Linear(10),
    ]


def network(name: str, seed: int) -> cr.Network:
    """The network of a recipe."""
    if name == "W3":
        from benchmarks.workloads import network as workload_network  # the others need not wait for it

        return workload_network(name, seed)
    return cr.Network(layers(name), cr.CrossEntropy(), seed=seed)


def train(name: str, seed: int, train_on: Samples, test_on: Samples) -> dict[str, float]:
    """One training by a recipe: what was reached."""
    recipe = (RECIPES | ALONE)[name]
    made, start = network(name, seed), time.perf_counter()
    cr.train(
        made,
        train_on,
        epochs=recipe.epochs,
        batch_size=recipe.batch,
        optimizer=cr.Adam(recipe.rate),
        schedule=cr.OneCycle(WARM_UP, START, recipe.end),
        average=recipe.average,
        seed=seed,
        progress=False,
    )
    seconds = time.perf_counter() - start
    reached = made.evaluate(*test_on)["accuracy"]
    return {"seed": seed, "accuracy": reached, "epochs": recipe.epochs, "seconds": round(seconds, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Train Chainrule to an accuracy on MNIST.")
    parser.add_argument("recipe", choices=RECIPES | ALONE)
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--validation",
        action="store_true",
        help="to choose settings: train on 50,000 samples and measure on the other 10,000, not on the test samples",
    )
    asked = parser.parse_args()
    mnist = cr.data.load_mnist()
    train_on, test_on = mnist.train, mnist.test
    if asked.validation:
        x, labels = mnist.train
        train_on, test_on = (x[:50_000], labels[:50_000]), (x[50_000:], labels[50_000:])
    for seed in asked.seed:
        print(json.dumps(train(asked.recipe, seed, train_on, test_on)), flush=True)


if __name__ == "__main__":
    main()
