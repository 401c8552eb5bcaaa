"""Mission D13: autoencoders, train(X, X): a digit in eight numbers, and a digit freed from noise.

You see how far the digits that come out are from those that went in: for principal components; for a linear
autoencoder, which finds nothing better than those; and for one with hidden layers, which does. Then an autoencoder that
has only ever seen disturbed digits takes the noise away.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

import chainrule as cr

CODE = 8  # numbers that 64 pixels must pass through
NOISE = 0.4  # standard deviation; pixels are 0…1


def principal_components(x: NDArray, new: NDArray) -> NDArray:
    """`new` (M, 64), seen through the directions in which x (N, 64) varies most."""
    mean = x.mean(axis=0)
    directions = np.linalg.svd(x - mean, full_matrices=False)[2][:CODE]  # (CODE, 64)
    return mean + (new - mean) @ directions.T @ directions


def trained(x: NDArray, *layers: cr.Layer, epochs: int = 60) -> cr.Network:
    """An autoencoder: it learns to give back what it is given."""
    network = cr.Network(layers, loss=cr.SquaredError())
    cr.train(network, (x, x), epochs=epochs, optimizer=cr.Adam(0.005), schedule=cr.OneCycle(), progress=False)
    return network


def linear(x: NDArray) -> cr.Network:
    return trained(x, cr.Linear(CODE), cr.Linear(64))


def deep(x: NDArray) -> cr.Network:
    return trained(x, cr.Linear(100), cr.ReLU(), cr.Linear(CODE), cr.Linear(100), cr.ReLU(), cr.Linear(64))


def denoising(x: NDArray) -> cr.Network:
    """Noise comes in anew in each step of training (Vincent et al. 2008); what is wanted is the digit without it."""
    return trained(x, cr.GaussianNoise(NOISE), cr.Linear(100), cr.ReLU(), cr.Linear(64))


def error(found: NDArray, wanted: NDArray) -> float:
    """The mean square of the difference of a pixel."""
    return float(((found - wanted) ** 2).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="d13_autoencoders.png", help="where the digits go")
    output = parser.parse_args().output
    digits = cr.data.load_digits()
    (x, _), (new, _) = digits.train, digits.test

    print(f"64 pixels through {CODE} numbers, mean squared error    training digits   new digits")
    by_components = principal_components(x, new)
    print(f"{CODE} principal components {error(principal_components(x, x), x):36.5f} {error(by_components, new):14.5f}")
    for name, network in (("linear autoencoder, 64-8-64", linear(x)), ("64-100-8-100-64 with ReLU", deep(x))):
        through = network.predict(new)
        print(f"{name:27} {error(network.predict(x), x):31.5f} {error(through, new):14.5f}")

    disturbed = new + np.random.default_rng(0).normal(0, NOISE, new.shape).astype(new.dtype)
    freed = denoising(x).predict(disturbed)
    print(f"\nnew digits with noise: {error(disturbed, new):.4f}")
    print(f"through the narrow autoencoder, which never saw noise: {error(network.predict(disturbed), new):.4f}")
    print(f"through the denoising one: {error(freed, new):.4f}")

    rows = [new, by_components, through, disturbed, freed]
    titles = ["digit", f"{CODE} components", f"{CODE} numbers", "with noise", "freed from it"]
    images = np.clip(np.concatenate([row[:10] for row in rows]), 0, 1).reshape(-1, 8, 8)
    captions = [title if column == 0 else "" for title in titles for column in range(10)]
    cr.plots.gallery(images, captions).savefig(output)
    print(f"drawn: {output}")


if __name__ == "__main__":
    main()
