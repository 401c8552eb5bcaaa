"""Mission D8: learning rate, layers, activation and regularisation, chosen by 5-fold cross-validation.

You see learning rates from 10⁻⁷ upwards tried with three strengths of a penalty: too low a rate hardly moves, too high
a one fails. Then sizes of the network and activations at the best rate; and whether the winner is better than the
runner-up or was only luckier, by a t-test over five seeds. The test digits are looked at once, at the very end.
"""

import argparse

import chainrule as cr
from chainrule.selection import LogScale


def network(hidden: tuple[int, ...] = (30,), activation: type[cr.Layer] = cr.Tanh) -> cr.Network:
    layers = [layer for units in hidden for layer in (cr.Linear(units), activation())]
    return cr.Network([*layers, cr.Linear(10)], loss=cr.CrossEntropy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output", default="d8_choosing_settings.png", help="where the map of rates and penalties goes"
    )
    parser.add_argument("--workers", type=int, default=1, help="how many processes run side by side")
    arguments = parser.parse_args()
    digits = cr.data.load_digits()
    descent = {"optimizer": cr.SGD(), "epochs": 5, "workers": arguments.workers}

    print("learning rate and penalty, by gradient descent")
    rates = {"learning_rate": LogScale(1e-7, 1e3), "l2": [0.0, 10.0, 1000.0]}
    found = cr.search(network, digits.train, rates, progress=False, **descent)
    best = found.best.settings
    print(found, end="\n\n")

    print("layers and activation, with", best)
    shapes = {"hidden": [(), (10,), (30,), (30, 30)], "activation": [cr.Sigmoid, cr.Tanh, cr.ReLU]}
    shaped = cr.search(network, digits.train, shapes, progress=False, **descent, **best)
    print(shaped, end="\n\n")

    print("is the winner better than the runner-up?")
    winner, second = (trial.settings for trial in shaped.ranked[:2])
    names = ("winner", "runner-up")
    print(cr.compare((network, winner), (network, second), digits.train, names=names, **descent, **best), end="\n\n")

    chosen = network(**winner)
    penalty = cr.L2(best["l2"]) if best["l2"] else None
    cr.train(chosen, digits.train, epochs=5, optimizer=cr.SGD(best["learning_rate"]), penalty=penalty, progress=False)
    print(f"test accuracy of the winner: {chosen.evaluate(*digits.test)['accuracy']:.1%}")
    found.draw(across="learning_rate", down="l2").figure.savefig(arguments.output)
    print(f"drawn: {arguments.output}")


if __name__ == "__main__":
    main()
