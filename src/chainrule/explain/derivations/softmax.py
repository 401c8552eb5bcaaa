"""Softmax, and how its Jacobian collapses to p − t. Source: mission items A4, C1."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.explain.derivations.written import Line, Written
from chainrule.operations.softmax import softmax_backward, softmax_forward


def _example(rng: np.random.Generator | None) -> dict[str, Any]:
    f = np.array([1.0, 2.0, 3.0, 0.5]) if rng is None else rng.normal(size=5)
    t = np.eye(len(f))[2]  # the third class is the true one
    p = softmax_forward(f[None])
    df = softmax_backward(-t / p, p)
    return {"f": f, "p": p[0], "t": t, "j": 2, "df": df[0]}


WRITTEN = (
    Written(
        title="Softmax",
        operation="softmax",
        words=(
            "Softmax turns K scores into probabilities: all positive, their sum 1, and a score that is larger by one "
            "has a probability that is e times as large. A constant added to all scores changes nothing; the library "
            "takes the largest score from all of them, so that nothing overflows."
        ),
        symbols=(
            ("f_k", "the scores of one sample, K numbers"),
            ("p_k", "their probabilities"),
            ("t_k", "the target: 1 for the true class j, 0 for all others"),
            ("L", "the loss; from the fifth step on −log p_j"),
        ),
        definition=(
            Line("Exponentials, divided by their sum:", "p[k] == exp(f[k]) / sum(i, exp(f[i]))"),
            Line("The loss of the true class j:", "L == -log(p[j]) == -sum(i, t[i] * log(p[i]))"),
        ),
        steps=(
            Line(
                "Every score moves every probability, its own through the numerator too. By the quotient rule:",
                "d(p[i], f[k]) == delta(i, k) * exp(f[k]) / sum(m, exp(f[m]))"
                " - exp(f[i]) * exp(f[k]) / sum(m, exp(f[m])) ** 2",
            ),
            Line("Both fractions are products of p: this is the softmax Jacobian.",
                 "d(p[i], f[k]) == p[i] * (delta(i, k) - p[k])"),
            Line("The chain rule: f_k reaches L by way of every p_i.",
                 "d(L, f[k]) == sum(i, d(L, p[i]) * d(p[i], f[k]))"),
            Line("With the Jacobian in it, whatever the loss is; so the library computes it:",
                 "d(L, f[k]) == p[k] * (d(L, p[k]) - sum(i, d(L, p[i]) * p[i]))"),
            Line("Of L = −log p_j, the true class alone has a slope:", "d(L, p[i]) == -(t[i] / p[i])"),
            Line(
                "Then the p cancel, the t sum to 1, and the Jacobian has collapsed: negative for the true class alone, "
                "positive for all others.",
                "d(L, f[k]) == p[k] * (sum(i, t[i]) - t[k] / p[k]) == p[k] - t[k]",
            ),
        ),
        example=_example,
        example_words=(
            "Four classes with the scores 1, 2, 3 and 0.5, of which the third is the true one: number 2, since the "
            "library counts from 0. The gradient is negative there and positive elsewhere, and sums to 0."
        ),
    ),
)  # fmt: skip
