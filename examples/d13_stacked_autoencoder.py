"""Mission D13: stacked autoencoders, trained one on top of the other, with logistic regression on top of them.

You see what digits without labels are good for. Labels are known for 100 digits only; two autoencoders first learn from
all 1,437 images, each from the code of the one below. Then comes logistic regression on the upper code, and at last all
layers are taught together. All of it three times, with other labels known each time.
"""

import numpy as np
from numpy.typing import NDArray

import chainrule as cr
from chainrule.operations import linear_forward, sigmoid_forward

SIZES = (100, 50)  # units of the two hidden layers
LABELS = 100
Weights = tuple[NDArray, NDArray]  # W and b of a layer


def code(x: NDArray, hidden: list[Weights]) -> NDArray:
    """What the hidden layers make of x."""
    for W, b in hidden:
        x = sigmoid_forward(linear_forward(x, W, b))
    return x


def learned(layers: list[cr.Layer], loss: cr.Loss, x: NDArray, targets: NDArray, seed: int) -> Weights:
    """W and b of the only layer that is kept: the one in the middle of an autoencoder, or logistic regression."""
    network = cr.Network(layers, loss, seed=seed)
    cr.train(network, (x, targets), epochs=50, optimizer=cr.Adam(0.01), seed=seed, progress=False)
    W, b, *_ = network.parameters.values()
    return W, b


def pretrained(x: NDArray, seed: int = 0) -> list[Weights]:
    """The hidden layers, from below: each learns to give its input back with noise taken away (Vincent et al. 2010)."""
    hidden: list[Weights] = []
    for size in SIZES:
        below = code(x, hidden)
        layers = [cr.GaussianNoise(0.5), cr.Linear(size), cr.Sigmoid(), cr.Linear(below.shape[1])]
        hidden.append(learned(layers, cr.BinaryCrossEntropy(), below, below, seed))
    return hidden


def stacked(weights: list[Weights], seed: int = 0) -> cr.Network:
    """Two hidden layers and logistic regression on top, from these weights; from random ones where there are none."""
    hidden = [layer for size in SIZES for layer in (cr.Linear(size), cr.Sigmoid())]
    network = cr.Network([*hidden, cr.Linear(10)], loss=cr.CrossEntropy(), seed=seed).build((64,))
    for position, (W, b) in enumerate(weights):
        network.parameters[f"layers.{2 * position}.W"][...] = W
        network.parameters[f"layers.{2 * position}.b"][...] = b
    return network


def accuracies(seed: int) -> list[float]:
    """Of new digits: logistic regression, random weights, pre-trained with only the top taught, with all taught."""
    digits = cr.data.load_digits()
    x, labels = digits.train
    rows = np.random.default_rng(seed).choice(len(x), LABELS, replace=False)
    known, their_labels = x[rows], labels[rows]

    def taught(network: cr.Network, epochs: int) -> cr.Network:
        settings = {"epochs": epochs, "optimizer": cr.Adam(0.01), "seed": seed, "progress": False}
        cr.train(network, (known, their_labels), **settings)
        return network

    logistic = taught(cr.Network([cr.Linear(10)], loss=cr.CrossEntropy(), seed=seed), 100)
    from_random = taught(stacked([], seed), 100)
    hidden = pretrained(x, seed)
    top = learned([cr.Linear(10)], cr.CrossEntropy(), code(known, hidden), their_labels, seed)
    on_top = stacked([*hidden, top])
    all_taught = taught(stacked([*hidden, top]), 50)
    return [network.evaluate(*digits.test)["accuracy"] for network in (logistic, from_random, on_top, all_taught)]


def main() -> None:
    names = (
        "logistic regression on the pixels",
        "64-100-50-10 from random weights",
        "logistic regression on top of the stacked autoencoders",
        "and then all layers taught",
    )
    runs = np.array([accuracies(seed) for seed in range(3)])  # (3, 4)
    print(f"{LABELS} labels; new digits read right{'':27} mean   of three")
    for name, right in zip(names, runs.T, strict=True):
        print(f"{name:55} {right.mean():6.1%}  ", *(f"{share:6.1%}" for share in right))


if __name__ == "__main__":
    main()
