"""Mission A3: the perceptron finds its weights by itself, from cases and the right decisions.

You see the weights learned for two thresholds of the ticket decision (others than w = 1, 6, 3, and as good), and what
the rule says of exclusive or, which no straight line can decide.
"""

import itertools

import numpy as np

import chainrule as cr

CASES = np.array(list(itertools.product((1, 0), repeat=3)))  # cheap ticket, available, interested


def main() -> None:
    for threshold in (9, 7):
        scores = CASES @ (1, 6, 3)
        labels = scores >= threshold
        network = cr.train_perceptron(CASES, labels)
        w, b = network.parameters.values()
        right = (network.predict(CASES)[:, 0] == labels).sum()
        print(f"threshold {threshold}: learned w = {w[:, 0]}, b = {b[0]:g}, {right} of 8 cases right")

    exclusive_or = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    try:
        cr.train_perceptron(exclusive_or, [0, 1, 1, 0])
    except cr.errors.NotSeparableError as error:
        print(f"exclusive or: {error}")


if __name__ == "__main__":
    main()
