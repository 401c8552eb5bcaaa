"""Mission B3: one rule, w ← w − (η/m) Σ ∂L/∂w, three ways of taking it.

You see the rule written out for one step against the library's step, then full-batch, mini-batch and stochastic descent
on the same digits: the smaller the batch, the more steps an epoch takes, and the further the cost falls.
"""

import numpy as np

import chainrule as cr

RATE = 0.3


def digit_network() -> cr.Network:
    return cr.Network([cr.Linear(15), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy(), dtype="float64")


def step_by_hand(network: cr.Network, x: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Every parameter after one step on m samples: the gradients of the single samples, added up and divided by m."""
    after = {name: w.copy() for name, w in network.parameters.items()}
    for image, label in zip(x, labels, strict=True):
        for name, gradient in network.gradients(image[None], [label]).items():
            after[name] -= RATE / len(x) * gradient
    return after


def main() -> None:
    digits = cr.data.load_digits()
    x, labels = digits.train

    network = digit_network().build((64,))
    by_hand = step_by_hand(network, x[:50], labels[:50])
    cr.train(network, (x[:50], labels[:50]), epochs=1, batch_size=None, optimizer=cr.SGD(RATE), progress=False)
    gap = max(np.abs(by_hand[name] - w).max() for name, w in network.parameters.items())
    print(f"one step on 50 images, by hand and by train: largest difference {gap:.0e}\n")

    print("cost after epoch      1       2       3       4       5   steps per epoch")
    for name, batch_size in (("full batch", None), ("mini-batch of 10", 10), ("stochastic", 1)):
        settings = {"epochs": 5, "batch_size": batch_size, "optimizer": cr.SGD(RATE), "progress": False}
        history = cr.train(digit_network(), digits.train, validation=digits.train, **settings)
        steps = -(-len(x) // batch_size) if batch_size else 1
        print(f"{name:16}", *(f"{cost:7.3f}" for cost in history["validation_loss"]), f"  {steps:5}")


if __name__ == "__main__":
    main()
