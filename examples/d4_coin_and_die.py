"""Mission D4: cross-entropy from coin tosses and from throws of a die.

You see that p^H (1−p)^T is largest at p = H/(H+T), that descending the negative log-likelihood and ascending the
log-likelihood are the same walk to it, and that K classes work alike with the one-hot indicator matrix of the throws.
"""

import numpy as np

from chainrule import operations as ops

HEADS, TAILS = 7, 3
THROWS = np.array([1, 6, 3, 6, 2, 4, 6, 5, 3, 6, 1, 6])  # of a die


def coin() -> None:
    grid = np.linspace(0.001, 0.999, 999)
    likelihood = grid**HEADS * (1 - grid) ** TAILS
    print(f"{HEADS} heads, {TAILS} tails: p^H (1−p)^T is largest at p = {grid[likelihood.argmax()]:.3f}")

    tosses = np.array([[1.0]] * HEADS + [[0.0]] * TAILS)  # (10, 1)
    one = np.ones(len(tosses))
    down, up = np.zeros((1, 1)), np.zeros((1, 1))  # the score f of a coin, p = σ(f); it starts at p = ½
    for _ in range(100):
        cost_slope = ops.binary_cross_entropy_backward(one, np.repeat(down, 10, axis=0), tosses).sum()
        likelihood_slope = (tosses - ops.sigmoid_forward(up)).sum()  # of log p^H (1−p)^T = Σ [t log p + (1−t) log(1−p)]
        down = down - 0.1 * cost_slope
        up = up + 0.1 * likelihood_slope
    print(f"descent on −log-likelihood reaches p = {ops.sigmoid_forward(down)[0, 0]:.6f}")
    print(f"ascent on the log-likelihood reaches p = {ops.sigmoid_forward(up)[0, 0]:.6f}")


def die() -> None:
    indicator = ops.one_hot(THROWS - 1, 6)  # (12, 6): a 1 in the column of the face thrown
    print(f"\n{len(THROWS)} throws of a die, the first four rows of the indicator matrix:")
    print(indicator[:4].astype(int))
    f = np.zeros((1, 6))  # scores of the six faces, p = softmax(f); all equal at first
    mean = np.full(len(THROWS), 1 / len(THROWS))
    for _ in range(400):
        slope = ops.soft_cross_entropy_backward(mean, np.repeat(f, len(THROWS), axis=0), indicator)
        f = f - slope.sum(axis=0)
    print("descent on the cross-entropy:", ops.softmax_forward(f)[0].round(4))
    print("share of each face          :", indicator.mean(axis=0).round(4))


if __name__ == "__main__":
    coin()
    die()
