"""Mission D6: exclusive or and the donut, which logistic regression cannot tell apart and a small network can.

You see the accuracy of both on points they never saw, and the regions they decide on: one straight line against the
features that eight hidden units have learned.
"""

import argparse

from matplotlib.figure import Figure

import chainrule as cr


def logistic_regression() -> cr.Network:
    return cr.Network([cr.Linear(1)], loss=cr.BinaryCrossEntropy())


def small_network() -> cr.Network:
    return cr.Network([cr.Linear(8), cr.Tanh(), cr.Linear(1)], loss=cr.BinaryCrossEntropy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="d6_xor_and_donut.png", help="where the regions go")
    output = parser.parse_args().output

    models = {"logistic regression": logistic_regression, "2-8-1 network": small_network}
    figure = Figure(figsize=(10, 9), layout="constrained")
    panels = iter(figure.subplots(2, 2).flat)
    for data_set in (cr.data.load("xor"), cr.data.load("rings")):
        for name, model in models.items():
            network = model()
            cr.train(network, data_set.train, epochs=200, optimizer=cr.Adam(0.03), progress=False)
            accuracy = network.evaluate(*data_set.test)["accuracy"]
            title = f"{data_set.name}, {name}: {accuracy:.1%}"
            print(title)
            panel = next(panels)
            cr.plots.decision_regions(network.predict, *data_set.test, names=data_set.class_names, ax=panel)
            panel.set_title(title)
            panel.set_aspect("equal")
            panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    figure.savefig(output)
    print(f"drawn: {output}")


if __name__ == "__main__":
    main()
