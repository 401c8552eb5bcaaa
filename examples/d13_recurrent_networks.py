"""Mission D13: recurrent networks, h(t) = σ(W_x x(t) + W_h h(t−1)), y(t) = σ(W_o h(t)).

You see the formula by loops over single numbers and by the library; then a network that reads a digit row by row, and
what it thinks after each row. With --mnist an LSTM reads the 28 rows of MNIST's images instead (some minutes).
"""

import argparse
import time

import numpy as np

import chainrule as cr

NOT_SEEN = -1.0  # no row of an image consists of it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", action="store_true", help="an LSTM on the rows of MNIST's images")
    parser.add_argument("--seed", type=int, default=0, help="of its first weights and of its batches")
    asked = parser.parse_args()
    if asked.mnist:
        read_mnist(asked.seed)
    else:
        show_the_formula()
        read_row_by_row()


def show_the_formula() -> None:
    """Three units that read two sequences of four steps, and two outputs at each step."""
    output = cr.EachStep(cr.Sequential([cr.Linear(2), cr.Sigmoid()]))  # y(t) = σ(h(t) W_o + b_o)
    layers = [cr.RNN(3, "sigmoid", return_sequences=True), output, cr.Flatten()]
    network = cr.Network(layers, loss=cr.SquaredError(), dtype="float64").build((4, 2))
    W_x, W_h, b, W_o, b_o = network.parameters.values()
    x = np.random.default_rng(0).normal(size=(2, 4, 2))
    y = np.zeros((2, 4, 2))
    for n in range(2):
        h = [0.0, 0.0, 0.0]
        for t in range(4):
            h = [
                sigma(sum(x[n, t, i] * W_x[i, j] for i in range(2)) + sum(h[k] * W_h[k, j] for k in range(3)) + b[j])
                for j in range(3)
            ]
            y[n, t] = [sigma(sum(h[j] * W_o[j, o] for j in range(3)) + b_o[o]) for o in range(2)]
    difference = np.abs(network.predict(x).reshape(y.shape) - y).max()
    print(f"h(t) and y(t) by loops and by the library: difference {difference:.0e}\n")


def sigma(a: float) -> float:
    return 1 / (1 + np.exp(-a))


def read_row_by_row() -> None:
    """Rows that are masked leave the state as it is: so the network can be asked before it has seen them all."""
    digits = cr.data.load_digits()
    network = cr.Network(
        [cr.Reshape((8, 8)), cr.GRU(32, mask_value=NOT_SEEN), cr.Linear(10)],
        loss=cr.CrossEntropy(),
    )
    cr.train(network, digits.train, epochs=25, optimizer=cr.Adam(0.01), progress=False)
    print(f"a GRU reads 8 rows of 8 pixels: test accuracy {network.evaluate(*digits.test)['accuracy']:.1%}")

    images, labels = digits.test
    image = images[labels == 8][0]
    print("\nan 8, row by row, and what it is after each row:")
    for row in range(8):
        so_far = image.reshape(8, 8).copy()
        so_far[row + 1 :] = NOT_SEEN
        p = network.predict(so_far.reshape(1, 64))[0]
        pixels = "".join(2 * " .:-=+*#%@"[int(9 * pixel)] for pixel in so_far[row])
        print(f"  {pixels}   {p.argmax()} with probability {p.max():.2f}")
    correct = []
    for row in range(8):
        so_far = images.reshape(-1, 8, 8).copy()
        so_far[:, row + 1 :] = NOT_SEEN
        correct.append(network.evaluate(so_far.reshape(-1, 64), labels)["accuracy"])
    print("read right after 1, 2, … 8 rows:", *(f"{share:.0%}" for share in correct))


def read_mnist(seed: int) -> None:
    """28 steps of 28 pixels: at least 98.5% of the test images are read right."""
    mnist = cr.data.load_mnist()
    network = cr.Network(
        [cr.Reshape((28, 28)), cr.LSTM(128), cr.Linear(10)],
        loss=cr.CrossEntropy(),
        seed=seed,
    )
    start = time.perf_counter()
    cr.train(
        network,
        mnist.train,
        epochs=6,
        batch_size=100,
        optimizer=cr.Adam(0.005),
        schedule=cr.OneCycle(),
        seed=seed,
    )
    seconds = time.perf_counter() - start
    print(f"seed {seed}: test accuracy {network.evaluate(*mnist.test)['accuracy']:.2%} after {seconds:.0f} s")


if __name__ == "__main__":
    main()
