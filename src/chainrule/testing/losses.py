"""The checks that every loss must pass. They find losses by themselves and run on their own example targets."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import Configurable
from chainrule.errors import ShapeError
from chainrule.layers import Linear, Tanh
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.operations.signatures import away_from_zero
from chainrule.testing.demands import (
    demand,
    demand_dtype,
    demand_gradient,
    demand_shape,
    demand_unchanged,
)
from chainrule.testing.gradient import numerical_gradient

SAMPLES = 4
OUTPUTS = (1, 2, 3, 5)  # numbers of scores to try; a loss may refuse some of them


def all_losses(within: str = "") -> list[type[Loss]]:
    """Every class of loss that has been defined, in modules whose name begins with `within`."""
    classes = [cls for cls in Configurable.register.values() if issubclass(cls, Loss)]
    return [cls for cls in classes if cls.forward is not Loss.forward and cls.__module__.startswith(within)]


def check_loss(loss: Loss) -> None:
    """Check one loss on scores drawn here and on its own `example_targets`.

    One loss per sample; its gradient against central differences, to a relative error of 1e-7; inputs unchanged;
    float32 stays float32; no samples; a prediction per sample; the configuration through JSON and back. In a whole
    network: `gradients` are the gradients of the mean loss that `evaluate` reports, with and without sample weights.

    Raises:
        AssertionError: names the loss, what was expected and what came.

    """
    accepted = [outputs for outputs in OUTPUTS if _accepts(loss, outputs)]
    demand(bool(accepted), f"{type(loss).__name__}: refuses every number of scores in {OUTPUTS}")
    for outputs in accepted:
        _check_gradient(loss, outputs)
        _check_shapes(loss, outputs)
        _check_reported_loss(loss, outputs)
    _check_configuration(loss)


def _accepts(loss: Loss, outputs: int) -> bool:
    try:
        loss.check_scores((outputs,))
    except ShapeError:
        return False
    return True


def _scores_and_targets(loss: Loss, outputs: int, samples: int = SAMPLES) -> tuple[Array, Array]:
    rng = np.random.default_rng(outputs)
    targets = loss.example_targets(rng, samples, outputs)
    return away_from_zero(rng, (samples, outputs)), loss.prepare(targets, (outputs,), "targets")


def _check_gradient(loss: Loss, outputs: int) -> None:
    """Σ_n dloss_n L_n for random dloss: backward must return its gradient at the scores."""
    name = f"{type(loss).__name__} of {outputs} scores"
    f, t = _scores_and_targets(loss, outputs)
    f_before, t_before = f.copy(), t.copy()
    dloss = away_from_zero(np.random.default_rng(1), (SAMPLES,))
    demand_shape(f"{name}: loss, one per sample,", loss.forward(f, t), (SAMPLES,))
    df = loss.backward(dloss, f, t)
    demand_unchanged(f"{name}: f", f, f_before)
    demand_unchanged(f"{name}: t", t, t_before)
    demand_gradient(f"{name}: df", df, numerical_gradient(lambda f: np.sum(dloss * loss.forward(f, t)), f))


def _check_shapes(loss: Loss, outputs: int) -> None:
    name = f"{type(loss).__name__} of {outputs} scores"
    for samples in (0, 1, SAMPLES):
        f, t = _scores_and_targets(loss, outputs, samples)
        for dtype in (np.float32, np.float64):
            scores = f.astype(dtype)
            values = loss.forward(scores, t)
            df = loss.backward(np.ones(samples, dtype), scores, t)
            demand_shape(f"{name}: loss of {samples} samples", values, (samples,))
            demand_shape(f"{name}: df of {samples} samples", df, f.shape)
            demand_dtype(f"{name}: loss in {np.dtype(dtype)}", values, dtype)
            demand_dtype(f"{name}: df in {np.dtype(dtype)}", df, dtype)
            demand_dtype(f"{name}: prediction in {np.dtype(dtype)}", loss.link(scores), dtype)
        demand(len(loss.link(f)) == samples, f"{name}: expected {samples} predictions, got {len(loss.link(f))}")
        right = loss.count_right(f, t)
        demand(
            right is None or bool(0 <= right <= samples), f"{name}: expected 0 to {samples} decided right, got {right}"
        )


def _check_reported_loss(loss: Loss, outputs: int) -> None:
    """The number reported is the number differentiated, also where samples count unlike."""
    rng = np.random.default_rng(outputs)
    samples = SAMPLES + 1  # an odd number: slopes of 1 and −1, as many of each, would leave only rounding to compare
    x = away_from_zero(rng, (samples, 2))
    targets = loss.example_targets(rng, samples, outputs)
    network = Network([Linear(2), Tanh(), Linear(outputs)], loss=loss, dtype="float64")
    for weights in (None, rng.uniform(0.1, 2, samples)):
        gradients = network.gradients(x, targets, sample_weight=weights)
        for parameter, W in network.parameters.items():
            start = W.copy()

            def reported(value: Array, W: Array = W, weights: Array | None = weights) -> Any:
                W[...] = value
                return network.evaluate(x, targets, sample_weight=weights)["loss"]

            name = f"{type(loss).__name__} of {outputs} scores: network gradient of {parameter}"
            demand_gradient(name, gradients[parameter], numerical_gradient(reported, start))
            W[...] = start


def _check_configuration(loss: Loss) -> None:
    copy = Loss.from_configuration(json.loads(json.dumps(loss.configuration())))
    name, expected, got = type(loss).__name__, loss.configuration(), copy.configuration()
    demand(type(copy) is type(loss), f"{name}: its configuration builds a {type(copy).__name__}")
    demand(expected == got, f"{name}: through JSON its configuration {expected} became {got}")
