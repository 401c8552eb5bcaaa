"""The linear map, and dropout. Source: mission items B4, D2, E2."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.explain.derivations.written import Line, Written
from chainrule.operations.dropout import dropout_backward, dropout_forward
from chainrule.operations.linear import linear_backward, linear_forward


def _linear(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        x, W, b = np.array([[1.0, 2, -1]]), np.array([[1.0, 0], [2, -1], [0, 3]]), np.array([0.5, -0.5])
        dy = np.array([[1.0, 2]])
    else:
        x, W, b, dy = (rng.normal(size=shape) for shape in ((2, 3), (3, 4), (4,), (2, 4)))
    dx, dW, db = linear_backward(dy, x, W)
    return {"x": x, "W": W, "b": b, "y": linear_forward(x, W, b), "dy": dy, "dx": dx, "dW": dW, "db": db}


def _dropout(rng: np.random.Generator | None) -> dict[str, Any]:
    x = np.arange(1.0, 7.0) if rng is None else rng.normal(size=8)
    dy = np.ones(6) if rng is None else rng.normal(size=8)
    y, mask = dropout_forward(x[None], 0.5, 0, 0, 3)
    return {"x": x, "y": y[0], "m": mask[0], "q": 0.5, "dy": dy, "dx": dropout_backward(dy[None], mask, 0.5)[0]}


WRITTEN = (
    Written(
        title="Linear map",
        operation="linear",
        words=(
            "Each output is a weighted sum of all inputs, plus a bias. For all samples at once it is one product of "
            "matrices, y = x W + b, and so are its gradients: ∂L/∂x = ∂L/∂y Wᵀ and ∂L/∂W = xᵀ ∂L/∂y."
        ),
        symbols=(
            ("x_ni", "feature i of sample n"),
            ("W_io", "the weight from input i to output o"),
            ("b_o", "the bias of output o"),
            ("y_no", "output o of sample n"),
        ),
        definition=(Line("A weighted sum:", "y[n, o] == sum(i, x[n, i] * W[i, o]) + b[o]"),),
        steps=(
            Line("An input moves an output by the weight between them:", "d(y[n, o], x[n, i]) == W[i, o]"),
            Line("It reaches L by way of every output, so the chain rule sums over o:",
                 "d(L, x[n, i]) == sum(o, d(L, y[n, o]) * d(y[n, o], x[n, i])) == sum(o, d(L, y[n, o]) * W[i, o])"),
            Line("A weight moves its output by the input it is applied to:", "d(y[n, o], W[i, o]) == x[n, i]"),
            Line("It is used once for every sample, so the chain rule sums over n:",
                 "d(L, W[i, o]) == sum(n, d(L, y[n, o]) * d(y[n, o], W[i, o])) == sum(n, x[n, i] * d(L, y[n, o]))"),
            Line("A bias moves its output one to one:",
                 "d(L, b[o]) == sum(n, d(L, y[n, o]) * d(y[n, o], b[o])) == sum(n, d(L, y[n, o]))"),
        ),
        example=_linear,
        example_words="One sample of three features, two outputs; the gradients at the outputs are 1 and 2.",
    ),
    Written(
        title="Dropout",
        operation="dropout",
        words=(
            "In training each number is dropped with probability q; the others grow by 1 / (1 − q), so that the sum "
            "stays what it is on average. In prediction nothing is dropped."
        ),
        symbols=(("x_k", "numbers that come in"), ("m_k", "0 where one is dropped, else 1"), ("q", "the rate")),
        definition=(Line("A factor of 0 or 1 / (1 − q):", "y[k] == m[k] * x[k] / (1 - q)"),),
        steps=(
            Line("The mask does not depend on x:", "d(y[k], x[k]) == m[k] / (1 - q)"),
            Line("The chain rule: what was dropped gets no gradient.",
                 "d(L, x[k]) == d(L, y[k]) * d(y[k], x[k]) == d(L, y[k]) * m[k] / (1 - q)"),
        ),
        example=_dropout,
        example_words="Six numbers at a rate of ½; the gradients at the outputs are 1.",
    ),
)  # fmt: skip
