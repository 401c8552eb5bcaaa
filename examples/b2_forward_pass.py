"""Mission B2: the digit network 784–15–10, its parameters and its forward pass by hand.

You see the table of layers with 11,775 + 160 parameters, all started from N(0, 1), and that the formulas
h = σ(Wx + b), f = Ŵh + b̂, o = softmax(f), written out for one image, give what network.predict gives.
"""

import numpy as np

import chainrule as cr


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def main() -> None:
    from_normal = {"weights": cr.Normal(0, 1), "biases": cr.Normal(0, 1)}
    network = cr.Network(
        [cr.Linear(15, **from_normal), cr.Sigmoid(), cr.Linear(10, **from_normal)],
        loss=cr.CrossEntropy(),
        dtype="float64",
    ).build((784,))
    print(network.summary())

    image = np.random.default_rng(0).random(784)  # grey values 0…1
    W, b, W_hat, b_hat = network.parameters.values()  # the library's W is (inputs, outputs): column l is unit l
    h = sigmoid(W.T @ image + b)  # (15,)
    f = W_hat.T @ h + b_hat  # (10,)
    o = np.exp(f) / np.exp(f).sum()  # (10,)   softmax

    predicted = network.predict(image[None])[0]  # one row per image
    print()
    print("by hand ", *(f"{p:.4f}" for p in o))
    print("network ", *(f"{p:.4f}" for p in predicted))
    print(f"largest difference {np.abs(o - predicted).max():.0e}; the probabilities sum to {o.sum():.6f}")


if __name__ == "__main__":
    main()
