"""Chainrule's side of `time_to_accuracy.py`: one training in this process, to an accuracy.

python -m benchmarks.accuracy CNN --seed 0
"""

from __future__ import annotations

import argparse
import json

from benchmarks.recipes import END, RECIPES, START, WARM_UP

import chainrule as cr


def network(name: str, seed: int) -> cr.Network:
    """The network of a recipe."""
    if name == "MLP":
        layers = [cr.Linear(128), cr.ReLU(), cr.Linear(10)]
    else:
        layers = [cr.Reshape((1, 28, 28))]
        for channels in (16, 32):
            layers += [cr.Conv2D(channels, 5), cr.ReLU(), cr.MaxPool2D(2)]
        layers += [cr.Flatten(), cr.Linear(64), cr.ReLU(), cr.Linear(10)]
    return cr.Network(layers, cr.CrossEntropy(), seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train Chainrule to an accuracy on MNIST.")
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    recipe = RECIPES[asked.recipe]
    mnist = cr.data.load_mnist()
    made = network(asked.recipe, asked.seed)
    cr.train(
        made,
        mnist.train,
        epochs=recipe.epochs,
        batch_size=recipe.batch,
        optimizer=cr.Adam(recipe.rate),
        schedule=cr.OneCycle(WARM_UP, START, END),
        seed=asked.seed,
        progress=False,
    )
    print(json.dumps({"accuracy": made.evaluate(*mnist.test)["accuracy"], "epochs": recipe.epochs}), flush=True)


if __name__ == "__main__":
    main()
