"""Trainings of Chainrule in this process, each to an accuracy; its side of `time_to_accuracy.py`.

python -m benchmarks.accuracy CNN --seed 0
python -m benchmarks.accuracy W3 --seed 0 1 2
"""

from __future__ import annotations

import argparse
import json
import time

from benchmarks.recipes import ALONE, END, RECIPES, START, WARM_UP

import chainrule as cr


def network(name: str, seed: int) -> cr.Network:
    """The network of a recipe."""
    if name == "W3":
        from benchmarks.workloads import network as workload_network  # the others need not wait for it

        return workload_network(name, seed)
    if name == "MLP":
        layers = [cr.Linear(128), cr.ReLU(), cr.Linear(10)]
    elif name == "E3":
        layers = [cr.Reshape((1, 28, 28)), cr.Conv2D(20, 5), cr.ReLU(), cr.MaxPool2D(2), cr.Flatten(), cr.Linear(10)]
    else:
        layers = [cr.Reshape((1, 28, 28))]
        for channels in (16, 32):
            layers += [cr.Conv2D(channels, 5), cr.ReLU(), cr.MaxPool2D(2)]
        layers += [cr.Flatten(), cr.Linear(64), cr.ReLU(), cr.Linear(10)]
    return cr.Network(layers, cr.CrossEntropy(), seed=seed)


def train(name: str, seed: int, mnist: cr.data.DataSet) -> dict[str, float]:
    """One training by a recipe: what was reached."""
    recipe = (RECIPES | ALONE)[name]
    made, start = network(name, seed), time.perf_counter()
    cr.train(
        made,
        mnist.train,
        epochs=recipe.epochs,
        batch_size=recipe.batch,
        optimizer=cr.Adam(recipe.rate),
        schedule=cr.OneCycle(WARM_UP, START, END),
        seed=seed,
        progress=False,
    )
    seconds = time.perf_counter() - start
    reached = made.evaluate(*mnist.test)["accuracy"]
    return {"seed": seed, "accuracy": reached, "epochs": recipe.epochs, "seconds": round(seconds, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Train Chainrule to an accuracy on MNIST.")
    parser.add_argument("recipe", choices=RECIPES | ALONE)
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    asked = parser.parse_args()
    mnist = cr.data.load_mnist()
    for seed in asked.seed:
        print(json.dumps(train(asked.recipe, seed, mnist)), flush=True)


if __name__ == "__main__":
    main()
