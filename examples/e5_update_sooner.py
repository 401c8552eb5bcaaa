"""Mission E5: gradient descent against stochastic gradient descent, "update sooner rather than later".

You see the cost after equal numbers of passes over the same digits. Both look at every image once per epoch; gradient
descent then takes one step, stochastic gradient descent has taken one after each image.
"""

import argparse

from matplotlib.figure import Figure

import chainrule as cr

EPOCHS = 10


def costs(batch_size: int | None, learning_rate: float) -> list[float]:
    """The cost over all digits before training and after each epoch."""
    data = cr.data.load_digits().train
    network = cr.Network([cr.Linear(15), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy()).build((64,))
    settings = {"epochs": EPOCHS, "batch_size": batch_size, "optimizer": cr.SGD(learning_rate), "progress": False}
    before = network.evaluate(*data)["loss"]
    return [before, *cr.train(network, data, validation=data, **settings)["validation_loss"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="e5_update_sooner.png", help="where the curves go")
    output = parser.parse_args().output

    runs = {
        "gradient descent, rate 0.1": costs(None, 0.1),
        "gradient descent, rate 2": costs(None, 2.0),
        "stochastic gradient descent, rate 0.1": costs(1, 0.1),
    }
    print("passes over the data".ljust(38), *(f"{epoch:5}" for epoch in range(EPOCHS + 1)))
    figure = Figure(figsize=(7, 4), layout="constrained")
    panel = figure.add_subplot(xlabel="passes over the data", ylabel="cost")
    for name, values in runs.items():
        print(name.ljust(38), *(f"{cost:5.2f}" for cost in values))
        panel.plot(values, "o-", markersize=4, label=name)
    panel.set_ylim(bottom=0)
    panel.grid(alpha=0.2)
    panel.legend(frameon=False)
    figure.savefig(output)
    print(f"drawn: {output}")


if __name__ == "__main__":
    main()
