"""Mission B6: overfitting, seen in training against validation curves, and what stops it.

You see a network learn 100 digits by heart: its training loss goes to 0 while the loss on digits it never saw rises
again. Early stopping keeps the weights of the best epoch; more data removes the cause.
"""

import argparse

from matplotlib.figure import Figure

import chainrule as cr


def train(samples: int, epochs: int, *callbacks: cr.Callback) -> tuple[cr.Network, cr.History]:
    digits = cr.data.load_digits()
    x, labels = digits.train
    network = cr.Network([cr.Linear(100), cr.Tanh(), cr.Linear(10)], loss=cr.CrossEntropy())
    history = cr.train(
        network, (x[:samples], labels[:samples]), validation=digits.test, epochs=epochs, batch_size=10,
        optimizer=cr.Adam(0.01), callbacks=callbacks, progress=False,
    )  # fmt: skip
    return network, history


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="b6_overfitting.png", help="where the curves go")
    output = parser.parse_args().output

    _, few = train(100, 100)
    unseen = few["validation_loss"]
    best_epoch = unseen.index(min(unseen)) + 1
    print(f"100 digits, 100 epochs: training loss {few['loss'][-1]:.4f}")
    print(f"  validation loss {min(unseen):.3f} at epoch {best_epoch}, {unseen[-1]:.3f} at the end: overfitted")

    network, stopped = train(100, 100, cr.EarlyStopping(patience=10))
    kept = network.evaluate(*cr.data.load_digits().test)["loss"]
    print(f"early stopping: {stopped.stopped}; validation loss of the weights kept {kept:.3f}")

    _, many = train(1437, 20)
    print(f"1,437 digits: validation loss {many['validation_loss'][-1]:.3f} after 20 epochs")

    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    cr.plots.curve(few, ax=left)
    left.axvline(best_epoch, color="grey", linestyle=":")
    left.text(best_epoch + 1, 1.6, f"early stopping keeps epoch {best_epoch}")
    left.set_title("100 digits")
    cr.plots.curve(many, ax=right)
    right.set_title("1,437 digits")
    figure.savefig(output)
    print(f"drawn: {output}")


if __name__ == "__main__":
    main()
