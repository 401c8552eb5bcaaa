"""Mission D16: the cost is watched while it falls.

You see a line for each epoch as it ends, drawn by a callback of ten lines, and the whole curve in a picture. (The
library has a progress line of its own; it is switched off here to make room for ours.)
"""

import argparse

import chainrule as cr


class CostBar(cr.Callback):
    """Draws the cost of each epoch as a bar; the first one is the longest."""

    def on_epoch_end(self, run) -> None:
        costs = run.history["loss"]
        bar = "█" * max(1, round(50 * costs[-1] / costs[0]))
        print(f"epoch {run.epoch:2}  cost {costs[-1]:.4f}  {bar}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="d16_watch_the_cost.png", help="where the curve goes")
    output = parser.parse_args().output

    digits = cr.data.load_digits()
    network = cr.Network([cr.Linear(30), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy())
    history = cr.train(
        network, digits.train, validation=digits.test, epochs=20, optimizer=cr.Adam(0.01), callbacks=[CostBar()],
        progress=False,
    )  # fmt: skip
    print(f"cost {history['loss'][0]:.3f} → {history['loss'][-1]:.3f}; training ended because: {history.stopped}")
    cr.plots.curves(history, validation="test").savefig(output)
    print(f"drawn: {output}")


if __name__ == "__main__":
    main()
