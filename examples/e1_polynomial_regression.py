"""Mission E1: polynomial regression f_w(x) = w₂x² + w₁x + w₀ by gradient descent.

You see the noisy parabola, and gradient descent on the squared error arrive at the very w₂, w₁, w₀ that solving the
equations of least squares gives, close to the 2, −1, ½ the points were made with.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

import chainrule as cr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="e1_polynomial_regression.png", help="where the picture goes")
    output = parser.parse_args().output

    x, y = cr.data.make_parabola(samples=200, noise=0.2)
    x, y = x.astype(float), y.astype(float)  # (200, 1) each
    features = np.hstack([x**2, x])  # (200, 2); w₀ is the bias
    network = cr.Network([cr.Linear(1)], loss=cr.SquaredError(), dtype="float64")

    print("epochs      w₂          w₁          w₀          cost")
    for epochs in (1, 9, 90, 900):  # each goes on where the one before ended
        cr.train(network, (features, y), epochs=epochs, batch_size=None, optimizer=cr.SGD(0.9), progress=False)
        W, b = network.parameters.values()
        cost = network.evaluate(features, y)["loss"]
        print(f"+{epochs:<5} {W[0, 0]:11.8f} {W[1, 0]:11.8f} {b[0]:11.8f} {cost:11.8f}")
    print("least squares {:.8f} {:.8f} {:.8f}".format(*np.polyfit(x[:, 0], y[:, 0], 2)))

    figure = Figure(figsize=(6, 4), layout="constrained")
    panel = figure.add_subplot(xlabel="x", ylabel="y")
    panel.plot(x, y, ".", alpha=0.5, label="data")
    line = np.linspace(-1, 1, 101)[:, None]
    panel.plot(line, network.predict(np.hstack([line**2, line])), linewidth=2, label="w₂x² + w₁x + w₀")
    panel.grid(alpha=0.2)
    panel.legend(frameon=False)
    figure.savefig(output)
    print(f"drawn: {output}")


if __name__ == "__main__":
    main()
