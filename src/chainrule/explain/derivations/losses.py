"""The losses and their links, for one sample. Source: mission items B3, B4, C1, D4, E2."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.explain.derivations.written import Line, Written
from chainrule.operations.activations import sigmoid_forward
from chainrule.operations.losses import (
    binary_cross_entropy_backward,
    binary_cross_entropy_forward,
    cross_entropy_backward,
    cross_entropy_forward,
)
from chainrule.operations.regression import squared_error_backward, squared_error_forward
from chainrule.operations.softmax import softmax_forward

ONE = np.ones(1)


def _cross_entropy(rng: np.random.Generator | None) -> dict[str, Any]:
    f = np.array([[1.0, 2.0, 3.0, 0.5]]) if rng is None else rng.normal(size=(1, 5))
    label = np.array([2])
    df, L = cross_entropy_backward(ONE, f, label)[0], cross_entropy_forward(f, label)[0]
    return {"f": f[0], "p": softmax_forward(f)[0], "t": np.eye(f.shape[1])[2], "j": 2, "L": L, "df": df}


def _binary_cross_entropy(rng: np.random.Generator | None) -> dict[str, Any]:
    f = np.array([[0.8 if rng is None else rng.normal()]])
    t = np.ones((1, 1))
    L, df = binary_cross_entropy_forward(f, t)[0], binary_cross_entropy_backward(ONE, f, t)[0, 0]
    return {"f": f[0, 0], "p": sigmoid_forward(f)[0, 0], "t": 1.0, "L": L, "df": df}


def _squared_error(rng: np.random.Generator | None) -> dict[str, Any]:
    y = np.array([[0.5, 2.0]]) if rng is None else rng.normal(size=(1, 4))
    t = np.array([[1.0, 0.0]]) if rng is None else rng.normal(size=(1, 4))
    L, dy = squared_error_forward(y, t)[0], squared_error_backward(ONE, y, t)[0]
    return {"y": y[0], "t": t[0], "L": L, "dy": dy}


WRITTEN = (
    Written(
        title="Cross-entropy of softmax",
        operation="cross_entropy",
        words=(
            "The negative log-likelihood of the true class, and the softmax before it, in one. The library works from "
            "the scores: so neither the exponential overflows nor the logarithm meets a 0."
        ),
        symbols=(
            ("f_k", "the scores of one sample"),
            ("p_k", "softmax of the scores"),
            ("j", "the true class"),
            ("t_k", "1 for the true class, 0 for all others"),
        ),
        definition=(
            Line("Softmax:", "p[k] == exp(f[k]) / sum(i, exp(f[i]))"),
            Line("The loss, from the scores and from the probabilities:",
                 "L == log(sum(i, exp(f[i]))) - f[j] == -log(p[j])"),
        ),
        steps=(
            Line("The loss looks at one probability alone:", "d(L, p[i]) == where(i == j, -(1 / p[j]), 0)"),
            Line("The softmax Jacobian (see softmax):", "d(p[i], f[k]) == p[i] * (delta(i, k) - p[k])"),
            Line("The chain rule; of the sum the term i = j is left:",
                 "d(L, f[k]) == sum(i, d(L, p[i]) * d(p[i], f[k])) == -(1 / p[j] * p[j] * (delta(j, k) - p[k]))"),
            Line("p_j cancels: prediction less target.", "d(L, f[k]) == p[k] - delta(j, k) == p[k] - t[k]"),
        ),
        example=_cross_entropy,
        example_words=(
            "Four classes with the scores 1, 2, 3 and 0.5, of which the third, number 2, is the true one: the gradient "
            "is negative there and positive elsewhere."
        ),
    ),
    Written(
        title="Binary cross-entropy of the sigmoid",
        operation="binary_cross_entropy",
        words="The negative log-likelihood of one toss of a coin, a yes or a no, and the sigmoid before it, in one.",
        symbols=(("f", "the score"), ("p", "σ(f), the probability of a yes"), ("t", "1 for yes, 0 for no")),
        definition=(
            Line("The sigmoid:", "p == sigma(f)"),
            Line("The loss:", "L == log(1 + exp(f)) - t * f == -(t * log(p) + (1 - t) * log(1 - p))"),
        ),
        steps=(
            Line("Two fractions on one denominator:",
                 "d(L, p) == (1 - t) / (1 - p) - t / p == (p - t) / (p * (1 - p))"),
            Line("The slope of the sigmoid:", "d(p, f) == p * (1 - p)"),
            Line("The chain rule; the denominator cancels: prediction less target.",
                 "d(L, f) == d(L, p) * d(p, f) == p - t"),
        ),
        example=_binary_cross_entropy,
        example_words="A score of 0.8 where the answer is yes.",
    ),
    Written(
        title="Squared error",
        operation="squared_error",
        words="Half the squared distance between answer and target, summed over the outputs of a sample.",
        symbols=(("y_k", "the answers"), ("t_k", "the targets")),
        definition=(Line("A sum of squares:", "L == 1 / 2 * sum(k, (y[k] - t[k]) ** 2)"),),
        steps=(Line("The 2 of the square and the ½ cancel: prediction less target.", "d(L, y[k]) == y[k] - t[k]"),),
        example=_squared_error,
        example_words="Two outputs.",
    ),
)  # fmt: skip
