"""Mission E3: a convolutional network for digits, softmax(W₁ maxpool(ReLU(W₀ * x))).

You see its layers and parameters, its cost while it falls, and how many unseen digits it reads right.
"""

import chainrule as cr


def main() -> float:
    """Train on the built-in digits and print; returns the test accuracy."""
    digits = cr.data.load_digits()
    network = cr.Network(
        [
            cr.Reshape((1, 8, 8)),  # a row of 64 pixels is an image of one channel
            cr.Conv2D(16, 3),  # W₀ * x
            cr.ReLU(),
            cr.MaxPool2D(2),
            cr.Flatten(),
            cr.Linear(10),  # W₁
        ],
        loss=cr.CrossEntropy(),  # owns the softmax
    )
    network.build((64,))
    print(network.summary())
    history = cr.train(network, digits.train, epochs=30, optimizer=cr.Adam(0.003), progress=False)
    for record in history.records[::5]:
        print(f"epoch {record['epoch']:2}   cost {record['loss']:.3f}   right {record['accuracy']:.1%}")
    accuracy = network.evaluate(*digits.test)["accuracy"]
    print(f"of {len(digits.test[0])} digits it has not seen, {accuracy:.1%} are read right")
    return accuracy


if __name__ == "__main__":
    main()
