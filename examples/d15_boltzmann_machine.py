"""Mission D15: a restricted Boltzmann machine learns digits by contrastive divergence.

It gives every black-and-white image v the probability p(v) = e^(−F(v)) / Z, with the free energy
F(v) = −a·v − Σ_j log(1 + e^((vW + b)_j)). You see log p of digits it never saw rise, as an exact number: with 14 hidden
units, Z is a sum over 16,384 states. Then it completes digits whose lower half is hidden, and dreams up some of its
own. (Hinton 2002, "Training products of experts by minimizing contrastive divergence".)
"""

import numpy as np
from numpy.typing import NDArray

import chainrule as cr
from chainrule.operations import linear_forward, sigmoid_forward, softplus_forward

HIDDEN = 14


class BoltzmannMachine:
    """Visible units v (64,) and hidden units h (14,), each 0 or 1: E(v, h) = −a·v − b·h − v·(W h)."""

    def __init__(self, x: NDArray, rng: np.random.Generator) -> None:
        self.rng = rng
        on = (x.sum(axis=0) + 1) / (len(x) + 2)
        self.a = np.log(on / (1 - on))  # begin where each pixel is as often on as in the data, for itself alone
        self.b = np.zeros(HIDDEN)
        self.W = rng.normal(0, 0.1, (x.shape[1], HIDDEN))

    def hidden(self, v: NDArray) -> NDArray:
        """p(h_j = 1 | v), (N, 14)."""
        return sigmoid_forward(linear_forward(v, self.W, self.b))

    def visible(self, h: NDArray) -> NDArray:
        """p(v_i = 1 | h), (N, 64)."""
        return sigmoid_forward(linear_forward(h, self.W.T, self.a))

    def draw(self, p: NDArray) -> NDArray:
        """Units that are 1 with the probabilities p."""
        return (self.rng.random(p.shape) < p).astype(float)

    def gradients(self, v: NDArray) -> dict[str, NDArray]:
        """Contrastive divergence: what a step back and forth changes, in place of the gradient of −log p.

        That gradient is ∂F/∂W at the data, less its mean over all images; −∂F/∂W = v p(h | v). The mean is taken over
        images that the machine itself makes of the data.
        """
        h = self.hidden(v)
        dreamt = self.draw(self.visible(self.draw(h)))  # (N, 64)
        h_dreamt = self.hidden(dreamt)
        return {
            "W": (dreamt.T @ h_dreamt - v.T @ h) / len(v),
            "a": (dreamt - v).mean(axis=0),
            "b": (h_dreamt - h).mean(axis=0),
        }

    def free_energy(self, v: NDArray) -> NDArray:
        """F(v), (N,)."""
        return -v @ self.a - softplus_forward(linear_forward(v, self.W, self.b)).sum(axis=1)

    def log_partition(self) -> float:
        """log Z: over all hidden states h, log Σ_h e^(b·h) Π_i (1 + e^((Wh + a)_i))."""
        states = np.array(np.meshgrid(*[[0.0, 1.0]] * HIDDEN)).reshape(HIDDEN, -1).T  # (2^14, 14)
        terms = states @ self.b + softplus_forward(linear_forward(states, self.W.T, self.a)).sum(axis=1)
        return float(terms.max() + np.log(np.exp(terms - terms.max()).sum()))

    def log_probability(self, v: NDArray) -> float:
        """The mean of log p(v)."""
        return float(-self.free_energy(v).mean() - self.log_partition())

    def complete(self, v: NDArray, known: NDArray, steps: int = 200) -> NDArray:
        """p(v_i = 1) after some steps back and forth, in which the known pixels (64,) stay as they are."""
        given = v
        for _ in range(steps):
            p = np.where(known, given, self.visible(self.draw(self.hidden(v))))
            v = self.draw(p)
        return p


def learn(machine: BoltzmannMachine, x: NDArray, epochs: int, rate: float = 0.2) -> None:
    optimizer = cr.SGD(rate)
    for epoch in range(epochs):
        order = machine.rng.permutation(len(x))
        for rows in np.split(order[: len(x) // 20 * 20], len(x) // 20):  # 20 digits at a time
            for name, gradient in machine.gradients(x[rows]).items():
                parameter, _ = optimizer.update(getattr(machine, name), gradient, (), 1, rate * (1 - epoch / epochs))
                setattr(machine, name, parameter)


def black_and_white() -> tuple[NDArray, NDArray]:
    digits = cr.data.load_digits()
    return (digits.train[0] > 0.5).astype(float), (digits.test[0] > 0.5).astype(float)


def show(images: NDArray, rows: int = 8) -> None:
    """The upper rows of images (N, 64), beside each other."""
    for row in range(rows):
        lines = images.reshape(-1, 8, 8)[:, row]  # (N, 8)
        print(" ", *("".join(2 * " .:+#"[round(4 * pixel)] for pixel in line) for line in lines), sep="   ")


def main() -> None:
    x, new = black_and_white()
    machine = BoltzmannMachine(x, np.random.default_rng(0))
    alone = float((new @ machine.a).mean() - softplus_forward(machine.a).sum())  # Σ v_i a_i − log(1 + e^(a_i))
    print(f"log p of a new digit {-64 * np.log(2):8.2f} if all images were equally likely")
    print(f"{alone:29.2f} if each pixel were drawn for itself")
    for epochs in (1, 9, 50):
        learn(machine, x, epochs)
        print(f"{machine.log_probability(new):29.2f} after {epochs} more epochs of contrastive divergence")

    known = np.arange(64) < 32
    print("\nnew digits; their upper halves; what the machine makes of those:")
    show(new[:6])
    print()
    show(new[:6], rows=4)
    print()
    show(machine.complete(new[:6], known))
    print("\ndreamt up from noise:")
    show(machine.complete(machine.draw(np.full((6, 64), 0.5)), np.zeros(64, bool), 2000))


if __name__ == "__main__":
    main()
