"""Convolution of an image, and max pooling. Source: mission item E2."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.explain.derivations.written import Line, Written
from chainrule.operations.convolution import convolution_backward, convolution_forward
from chainrule.operations.pooling import max_pool_backward, max_pool_forward


def _convolution(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        s, a = 1, 0
        x = np.array([[[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0]], [[0, 1, 1, 0], [1, 0, 0, 2], [0, 3, 1, 1]]])
        W, b = np.array([[[[1.0, 0], [0, -1]], [[0, 2], [1, 0]]]]), np.array([0.5])
        dy = np.array([[[1.0, 0, 2], [-1, 1, 0]]])
    else:
        s, a = 2, 1
        x, W, b, dy = (rng.normal(size=shape) for shape in ((2, 4, 3), (2, 2, 3, 2), (2,), (2, 2, 2)))
    y = convolution_forward(x[None], W, b, (s, s), (a, a))[0]
    dx, dW, db = convolution_backward(dy[None], x[None], W, (s, s), (a, a))
    return {"x": x, "W": W, "b": b, "y": y, "s": s, "a": a, "dy": dy, "dx": dx[0], "dW": dW, "db": db}


def _max_pool(rng: np.random.Generator | None) -> dict[str, Any]:
    x = np.array([[1.0, 5, 2, 0], [3, 4, 8, 6]]) if rng is None else rng.normal(size=(4, 6))
    y = max_pool_forward(x[None, None], (2, 2), (2, 2))[0, 0]
    dy = np.array([[1.0, 2]]) if rng is None else rng.normal(size=y.shape)
    dx = max_pool_backward(dy[None, None], x[None, None], (2, 2), (2, 2))[0, 0]
    return {"x": x, "y": y, "s": 2, "dy": dy, "dx": dx, "indices": {"p": 2, "q": 2}}


WRITTEN = (
    Written(
        title="Convolution",
        operation="convolution",
        words=(
            "A small filter is slid over an image; each output is the weighted sum of one window, over all input "
            "channels. The filter is not flipped, as everywhere in the field. The formulas are those of one sample, "
            "with stride s and a rows and columns of zeros around the image; with s = 1 and a = 0 they are the plain "
            "ones. Outside of an array there is 0."
        ),
        symbols=(
            ("x_chw", "channel c, row h, column w of the image"),
            ("W_ocpq", "filter o, for channel c, at row p and column q of its window"),
            ("y_oij", "output channel o, row i, column j"),
            ("s, a", "stride and padding"),
        ),
        definition=(
            Line("The sum over one window:",
                 "y[o, i, j] == sum(c, p, q, W[o, c, p, q] * x[c, s * i + p - a, s * j + q - a]) + b[o]"),
        ),
        steps=(
            Line(
                "A pixel lies in the window of an output at the place p = h + a − s i, q = w + a − s j, and so moves "
                "it by the weight there; where the filter has no such place, not at all:",
                "d(y[o, i, j], x[c, h, w]) == W[o, c, h + a - s * i, w + a - s * j]",
            ),
            Line("It reaches L by way of every window it lies in, in every output channel:",
                 "d(L, x[c, h, w]) == sum(o, i, j, d(L, y[o, i, j]) * d(y[o, i, j], x[c, h, w]))"
                 " == sum(o, i, j, d(L, y[o, i, j]) * W[o, c, h + a - s * i, w + a - s * j])"),
            Line("A weight moves an output by the pixel it meets in that window:",
                 "d(y[o, i, j], W[o, c, p, q]) == x[c, s * i + p - a, s * j + q - a]"),
            Line("It is shared by all windows, so the chain rule sums over them (and over the samples):",
                 "d(L, W[o, c, p, q]) == sum(i, j, d(L, y[o, i, j]) * d(y[o, i, j], W[o, c, p, q]))"
                 " == sum(i, j, d(L, y[o, i, j]) * x[c, s * i + p - a, s * j + q - a])"),
            Line("A bias is in every output of its channel:",
                 "d(L, b[o]) == sum(i, j, d(L, y[o, i, j]) * d(y[o, i, j], b[o])) == sum(i, j, d(L, y[o, i, j]))"),
        ),
        example=_convolution,
        example_words=(
            "One filter of 2 × 2 on two channels of 3 × 4 pixels, stride 1, no padding; the gradients at the outputs "
            "are 1, 0, 2, −1, 1, 0."
        ),
    ),
    Written(
        title="Max pooling",
        operation="max_pool",
        words="Of each window the largest pixel is kept, channel by channel: here windows of 2 × 2 side by side.",
        symbols=(("x_hw", "row h, column w of a channel"), ("y_ij", "row i, column j of the output"), ("s", "stride")),
        definition=(Line("The largest of the window:", "y[i, j] == largest(p, q, x[s * i + p, s * j + q])"),),
        steps=(
            Line(
                "The pixel that is largest moves the output one to one, the others not at all. Among equals the "
                "library takes the first, row by row.",
                "d(y[i, j], x[h, w]) == where(x[h, w] == y[i, j], 1, 0)",
            ),
            Line("The chain rule: the gradient goes to where the largest stood.",
                 "d(L, x[h, w]) == sum(i, j, d(L, y[i, j]) * d(y[i, j], x[h, w]))"
                 " == where(x[h, w] == y[h // s, w // s], d(L, y[h // s, w // s]), 0)"),
        ),
        example=_max_pool,
        example_words="Two windows side by side; the gradients at their outputs are 1 and 2.",
    ),
)  # fmt: skip
