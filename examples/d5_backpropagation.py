"""Mission D5: back-propagation is one recursion on δ, through any number of layers.

You see it written out in ten lines of NumPy for networks of one to six layers, and how far its gradients are from the
library's: nowhere more than rounding.
"""

import numpy as np

import chainrule as cr


def backpropagate(weights: list, biases: list, x: np.ndarray, t: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(∂J/∂W, ∂J/∂b) of every layer, for sigmoid layers that end in softmax, J = mean cross-entropy."""
    z = [x]  # z[l] enters layer l
    for W, b in zip(weights, biases, strict=True):
        a = z[-1] @ W + b
        z.append(1 / (1 + np.exp(-a)))
    p = np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)  # the last layer's answer is a softmax

    gradients = []
    delta = (p - t) / len(x)  # δ at the last layer
    for layer in reversed(range(len(weights))):
        gradients.append((z[layer].T @ delta, delta.sum(axis=0)))
        if layer > 0:
            delta = (delta @ weights[layer].T) * z[layer] * (1 - z[layer])  # δ one layer further down
    return gradients[::-1]


def main() -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((20, 4)), rng.integers(0, 3, 20)
    for hidden in ((), (5,), (5, 6), (5, 6, 7), (5, 6, 7, 6), (5, 6, 7, 6, 5)):
        layers = [layer for size in hidden for layer in (cr.Linear(size), cr.Sigmoid())]
        network = cr.Network([*layers, cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64").build((4,))
        parameters, found = list(network.parameters.values()), list(network.gradients(x, labels).values())

        by_hand = backpropagate(parameters[::2], parameters[1::2], x, cr.operations.one_hot(labels, 3))
        gap = max(
            max(np.abs(dW - found[2 * layer]).max(), np.abs(db - found[2 * layer + 1]).max())
            for layer, (dW, db) in enumerate(by_hand)
        )
        sizes = "-".join(map(str, (4, *hidden, 3)))
        print(f"{len(by_hand)} layers, {sizes:15} largest difference from network.gradients {gap:.0e}")


if __name__ == "__main__":
    main()
