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
    figure = Figure(figsize=(14, 6.5), layout="constrained")
    panels = figure.subplots(2, 4).flat
    for panel, layer in zip(panels, [cr.Step(), cr.ReLU(), cr.Softplus(), cr.Sigmoid(), cr.Tanh()], strict=False):
        cr.plots.activation_graph(layer, ax=panel)
    for s in (1, 2, 8):
        panels[5].plot(x, ops.softplus_forward(s * x) / s, label=f"s = {s}")
    panels[5].set_title("softplus(s·x) / s becomes ReLU")
    scores = np.stack([x, np.zeros_like(x), np.ones_like(x)], axis=1)  # (801, 3)
    panels[6].plot(x, ops.softmax_forward(scores), label=["for score x", "for score 0", "for score 1"])
    panels[6].set_title("Softmax of the scores x, 0 and 1")
    panels[7].plot(x, ops.tanh_forward(x), linewidth=5, alpha=0.3, label="tanh x")
    panels[7].plot(x, 2 * ops.sigmoid_forward(2 * x) - 1, "--", label="2σ(2x) − 1")
    panels[7].set_title("one curve, two formulas")
    for panel in panels[5:]:
        panel.set(xlabel="x", xlim=(-4, 4))
        panel.grid(alpha=0.2)
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
