"""PyTorch's side of `time_to_accuracy.py`: one training in this process, to an accuracy.

python -m benchmarks.peers.accuracy_with_pytorch CNN --seed 0            the same recipe as Chainrule's
python -m benchmarks.peers.accuracy_with_pytorch CNN --seed 0 --usual    a usual script, tested every quarter epoch
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import torch
from benchmarks.common import THREADS, WORKLOADS, mnist
from benchmarks.peers.with_pytorch import network as workload_network
from benchmarks.recipes import END, EVERY, MOST, RECIPES, START, WARM_UP, Recipe
from torch import nn
from torch.nn import functional


def network(name: str) -> nn.Sequential:
    """The network of a recipe."""
    if name == "MLP":
        return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    layers = [nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))


def images(part: str, *, flat: bool) -> tuple[Any, Any]:
    x, y = (torch.from_numpy(array) for array in mnist(part))
    return (x if flat else x.reshape(-1, 1, 28, 28).contiguous(memory_format=torch.channels_last)), y


def accuracy(made: nn.Module, x: Any, y: Any) -> float:
    made.eval()
    with torch.inference_mode():
        right = sum(int((made(a).argmax(1) == b).sum()) for a, b in zip(x.split(1000), y.split(1000), strict=True))
    made.train()
    return right / len(x)


def steps(made: nn.Module, optimizer: Any, x: Any, y: Any, batch: int) -> Iterator[float]:
    """Train, epoch after epoch; after each step the epochs done so far."""
    taken = 0
    while True:
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(made(x[rows]), y[rows]).backward()
            optimizer.step()
            taken += len(rows)
            yield taken / len(x)


def by_recipe(made: nn.Module, recipe: Recipe, x: Any, y: Any, test: Callable[[], float]) -> tuple[float, float]:
    """Accuracy and epochs."""
    optimizer = torch.optim.Adam(made.parameters(), lr=recipe.rate, fused=True)
    total = recipe.epochs * -(-len(x) // recipe.batch)

    def factor(step: int) -> float:
        done = step / total
        if done < WARM_UP:
            return START + (1 - START) * done / WARM_UP
        return 1 + (END - 1) * (done - WARM_UP) / (1 - WARM_UP)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    for _ in itertools.islice(steps(made, optimizer, x, y, recipe.batch), total):
        schedule.step()
    return test(), recipe.epochs


def usual(made: nn.Module, recipe: Recipe, x: Any, y: Any, test: Callable[[], float]) -> tuple[float, float]:
    """Accuracy and epochs, when a test first reaches the target."""
    workload, next_test = WORKLOADS[recipe.usual], EVERY
    optimizer = torch.optim.Adam(made.parameters(), lr=workload.rate, fused=True)
    for done in steps(made, optimizer, x, y, workload.batch):
        if done >= next_test:
            next_test += EVERY
            found = test()
            if found >= recipe.target or done >= MOST:
                return found, done
    raise AssertionError("steps end only here")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train PyTorch to an accuracy on MNIST.")
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--usual", action="store_true", help="the usual network and optimizer")
    asked = parser.parse_args()
    recipe = RECIPES[asked.recipe]
    torch.set_num_threads(THREADS)
    torch.manual_seed(asked.seed)
    made = workload_network(recipe.usual) if asked.usual else network(asked.recipe)
    flat = asked.recipe == "MLP"
    if not flat:
        made = made.to(memory_format=torch.channels_last)
    x_test, y_test = images("t10k", flat=flat)
    train = usual if asked.usual else by_recipe
    found, epochs = train(made, recipe, *images("train", flat=flat), lambda: accuracy(made, x_test, y_test))
    print(json.dumps({"accuracy": found, "epochs": epochs}), flush=True)


if __name__ == "__main__":
    main()
