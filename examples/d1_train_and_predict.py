"""Mission D1: train() and predict() are the two functions of every model.

You see them on handwritten digits (classes), on a noisy parabola (a number), and on exclusive or (yes or no): the
network and its loss change, the two calls do not.
"""

import numpy as np

import chainrule as cr


def main() -> None:
    digits = cr.data.load_digits()
    network = cr.Network([cr.Linear(30), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy())
    cr.train(network, digits.train, epochs=30, optimizer=cr.Adam(0.01), progress=False)
    images, labels = digits.test
    probabilities = network.predict(images)  # (360, 10)
    print(f"digits:       {(probabilities.argmax(axis=1) == labels).mean():.1%} of {len(labels)} test images right")

    parabola = cr.data.load("parabola")
    network = cr.Network([cr.Linear(8), cr.Tanh(), cr.Linear(1)], loss=cr.SquaredError())
    cr.train(network, parabola.train, epochs=100, optimizer=cr.Adam(0.02), progress=False)
    x, y = parabola.test
    print(f"parabola:     predicted to within {np.std(network.predict(x) - y):.3f}; the noise in the data is 0.1")

    xor = cr.data.load("xor")
    network = cr.Network([cr.Linear(8), cr.Tanh(), cr.Linear(1)], loss=cr.BinaryCrossEntropy())
    cr.train(network, xor.train, epochs=100, optimizer=cr.Adam(0.02), progress=False)
    x, labels = xor.test
    decided = network.predict(x)[:, 0] >= 0.5
    print(f"exclusive or: {(decided == labels).mean():.1%} of {len(labels)} test points right")


if __name__ == "__main__":
    main()
