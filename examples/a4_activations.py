"""Mission A4: the activation functions and their derivatives.

You see a graph of each, softplus sharpening into ReLU, softmax sharing out one unit among three scores, and in numbers
the identity tanh(x) = 2σ(2x) − 1.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

import chainrule as cr
from chainrule import operations as ops

x = np.linspace(-4, 4, 801)


def draw(output: str) -> None:
    figure = Figure(figsize=(12, 9), layout="constrained")
    panels = figure.subplots(3, 3).flat
    layers = [cr.Step(), cr.ReLU(), cr.Softplus(), cr.Sigmoid(), cr.Tanh(), cr.LeakyReLU(slope=0.1)]
    for layer, panel in zip(layers, panels, strict=False):
        cr.plots.activation_graph(layer, ax=panel)
    for sharpness in (1, 2, 8):
        panels[6].plot(x, ops.softplus_forward(sharpness * x) / sharpness, label=f"s = {sharpness}")
    panels[6].set(title="softplus(s·x) / s → ReLU", xlabel="x")
    scores = np.stack([x, np.zeros_like(x), np.ones_like(x)], axis=1)  # (801, 3)
    panels[7].plot(x, ops.softmax_forward(scores), label=["score x", "score 0", "score 1"])
    panels[7].set(title="Softmax of the scores x, 0, 1", xlabel="x")
    panels[8].plot(x, ops.tanh_forward(x), linewidth=5, alpha=0.3, label="tanh x")
    panels[8].plot(x, 2 * ops.sigmoid_forward(2 * x) - 1, "--", label="2σ(2x) − 1")
    panels[8].set(title="one curve, two formulas", xlabel="x")
    for panel in panels[6:]:
        panel.set_xlim(-4, 4)
        panel.grid(alpha=0.2)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False)
    figure.savefig(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="a4_activations.png", help="where the graphs go")
    output = parser.parse_args().output

    z = np.array([-2.0, 0.0, 2.0])
    one = np.ones_like(z)  # a gradient of 1 at the output makes a backward formula give the derivative itself
    relu, sigmoid, tanh = ops.relu_forward(z), ops.sigmoid_forward(z), ops.tanh_forward(z)
    print("x        ", z)
    print("step     ", ops.step_forward(z), " derivative", ops.step_backward(one))
    print("ReLU     ", relu, " derivative", ops.relu_backward(one, relu))
    print("softplus ", ops.softplus_forward(z).round(4), " derivative", ops.softplus_backward(one, z).round(4))
    print("sigmoid  ", sigmoid.round(4), " derivative", ops.sigmoid_backward(one, sigmoid).round(4))
    print("tanh     ", tanh.round(4), " derivative", ops.tanh_backward(one, tanh).round(4))
    gap = np.abs(ops.tanh_forward(x) - (2 * ops.sigmoid_forward(2 * x) - 1)).max()
    print(f"tanh(x) and 2σ(2x) − 1 differ by {gap:.0e} at most, over 801 values of x")
    draw(output)
    print(f"drawn: {output}")


if __name__ == "__main__":
    main()
