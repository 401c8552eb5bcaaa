"""Mission D7: sigmoid, tanh and ReLU are exchangeable hidden units.

You see the derivative of each in terms of its value, as back-propagation uses it, and the same digit network trained
with one after the other: only one word of the network changes.
"""

import numpy as np

import chainrule as cr
from chainrule import operations as ops


def main() -> None:
    x, one = np.array([-1.0, 0.5, 2.0]), np.ones(3)
    s, t, r = ops.sigmoid_forward(x), ops.tanh_forward(x), ops.relu_forward(x)
    print("x                 ", x)
    print("sigmoid  y (1 − y)", (s * (1 - s)).round(4), " library", ops.sigmoid_backward(one, s).round(4))
    print("tanh     1 − y²   ", (1 - t**2).round(4), " library", ops.tanh_backward(one, t).round(4))
    print("ReLU     y > 0    ", (r > 0).astype(float), " library", ops.relu_backward(one, r))
    print()

    digits = cr.data.load_digits()
    for hidden in (cr.Sigmoid(), cr.Tanh(), cr.ReLU()):
        network = cr.Network([cr.Linear(30), hidden, cr.Linear(10)], loss=cr.CrossEntropy())
        cr.train(network, digits.train, epochs=20, optimizer=cr.Adam(0.01), progress=False)
        print(f"64–30–10 with {type(hidden).__name__:8} test accuracy {network.evaluate(*digits.test)['accuracy']:.1%}")


if __name__ == "__main__":
    main()
