"""Activation functions, for a single number. Source: mission items A4, D7."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.explain.derivations.written import Line, Written
from chainrule.operations import OPERATIONS

SYMBOLS = (("x", "a number that comes in"), ("y", "what goes out"), ("L", "the loss, wherever it is"))
CHAIN = "The chain rule: x reaches L by way of y."


def _of(name: str, kept: str, at: float) -> Callable[[np.random.Generator | None], dict[str, Any]]:
    """An example at x = `at`; backward asks for x or y."""

    def example(rng: np.random.Generator | None) -> dict[str, Any]:
        x = np.array([[at if rng is None else rng.normal()]])
        dy = np.array([[2.0 if rng is None else rng.normal()]])
        y = OPERATIONS[f"{name}_forward"](x)
        dx = OPERATIONS[f"{name}_backward"](dy, x if kept == "x" else y)
        return {"x": x[0, 0], "y": y[0, 0], "dy": dy[0, 0], "dx": dx[0, 0]}

    return example


WRITTEN = (
    Written(
        title="Sigmoid",
        operation="sigmoid",
        words=(
            "The sigmoid σ squeezes any number between 0 and 1. Its derivative needs its output alone, so that is what "
            "a layer keeps."
        ),
        symbols=SYMBOLS,
        definition=(
            Line("For large negative x the second form is taken, so that no exponent is ever positive:",
                 "y == exp(x) / (1 + exp(x)) == 1 / (1 + exp(-x))"),
        ),
        steps=(
            Line("One over something: minus its derivative, over its square.",
                 "d(y, x) == exp(-x) / (1 + exp(-x)) ** 2"),
            Line("The numerator is the denominator less 1:",
                 "d(y, x) == 1 / (1 + exp(-x)) * (1 - 1 / (1 + exp(-x))) == y * (1 - y)"),
            Line(CHAIN, "d(L, x) == d(L, y) * d(y, x) == d(L, y) * y * (1 - y)"),
        ),
        example=_of("sigmoid", "y", 1.0),
        example_words="At x = 1, with a gradient of 2 at the output. The derivative is at most one quarter, at x = 0.",
    ),
    Written(
        title="Hyperbolic tangent",
        operation="tanh",
        words="tanh squeezes any number between −1 and 1: a sigmoid, stretched and moved.",
        symbols=SYMBOLS,
        definition=(
            Line("Two ways to write it:",
                 "y == 2 * sigma(2 * x) - 1 == (exp(x) - exp(-x)) / (exp(x) + exp(-x))"),
        ),
        steps=(
            Line("The quotient rule; numerator and denominator are each other's derivatives.",
                 "d(y, x) == ((exp(x) + exp(-x)) ** 2 - (exp(x) - exp(-x)) ** 2) / (exp(x) + exp(-x)) ** 2"),
            Line("Divided out:", "d(y, x) == 1 - y ** 2"),
            Line(CHAIN, "d(L, x) == d(L, y) * d(y, x) == d(L, y) * (1 - y ** 2)"),
        ),
        example=_of("tanh", "y", 0.5),
        example_words="At x = ½, with a gradient of 2 at the output.",
    ),
    Written(
        title="Rectifier (ReLU)",
        operation="relu",
        words="Negative numbers become 0, the others stay. At the kink x = 0 there is no slope; the library takes 0.",
        symbols=SYMBOLS,
        definition=(Line("The larger of 0 and x:", "y == max(0, x)"),),
        steps=(
            Line("A straight line on either side:", "d(y, x) == where(x > 0, 1, 0)"),
            Line(CHAIN, "d(L, x) == d(L, y) * d(y, x) == where(y > 0, d(L, y), 0)"),
        ),
        example=_of("relu", "y", 1.5),
        example_words="At x = 1½, with a gradient of 2 at the output, which passes as it is.",
    ),
    Written(
        title="Softplus",
        operation="softplus",
        words="ReLU's smooth form, and the antiderivative of the sigmoid.",
        symbols=SYMBOLS,
        definition=(Line("The logarithm of 1 and an exponential:", "y == log(1 + exp(x))"),),
        steps=(
            Line("One over what is inside, times its derivative:", "d(y, x) == exp(x) / (1 + exp(x)) == sigma(x)"),
            Line(CHAIN, "d(L, x) == d(L, y) * d(y, x) == d(L, y) * sigma(x)"),
        ),
        example=_of("softplus", "x", 0.5),
        example_words="At x = ½, with a gradient of 2 at the output.",
    ),
    Written(
        title="SiLU (swish)",
        operation="silu",
        words="x times its own sigmoid: a rectifier that is smooth and dips below 0 (Elfwing et al. 2017).",
        symbols=SYMBOLS,
        definition=(Line("A product:", "y == x * sigma(x)"),),
        steps=(
            Line("The product rule, with σ' = σ (1 − σ):", "d(y, x) == sigma(x) + x * sigma(x) * (1 - sigma(x))"),
            Line(CHAIN, "d(L, x) == d(L, y) * d(y, x) == d(L, y) * (sigma(x) + x * sigma(x) * (1 - sigma(x)))"),
        ),
        example=_of("silu", "x", -0.5),
        example_words="At x = −½, with a gradient of 2 at the output.",
    ),
)  # fmt: skip
