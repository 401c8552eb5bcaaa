"""The steps of L-BFGS: each looks at the cost of all samples as often as its line search needs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from chainrule.arrays import Array
from chainrule.optimizers import LBFGS
from chainrule.optimizers.lbfgs import Evaluation, Pairs, Point
from chainrule.training.run import Evaluated, Run, Updated, Worked, unremembered
from chainrule.training.steps import Taken, alike, settings_of, taken


class FullBatchSteps:
    """The steps of a training by `optimizer` on all of x and t, weighted by w; one an epoch, each by Python."""

    def __init__(self, run: Run, optimizer: LBFGS, x: Array, t: Array, w: Array | None = None) -> None:
        self._run, self._optimizer, self._data = run, optimizer, (x, t, w)
        self._names = [name for name in run.network.parameters if name not in run.network.frozen]
        self._here: Evaluation | None = None  # the cost where the last step led to, with those weights and settings
        self._weights, self._settings = np.empty(0), settings_of(run)

    def take(self, *, single: bool, last: int) -> list[Taken]:
        """Take one step. Raises DivergenceError where the cost before it, or a new weight, is not finite."""
        run = self._run
        w = self._flat(run.network.parameters)
        here = self._here if self._here and self._is_as_before(w) else self._evaluate(w)
        before: Evaluated = here.details
        found, pairs = Point(0.0, 0.0, w, here), self._pairs()
        if np.isfinite(here.cost):
            run.promise(self._parts(w), run.step)
            try:
                found, pairs = self._optimizer.step(self._evaluate, w, here, pairs, run.rate_at(run.step + 1))
            finally:
                run.complete_step()
        updated = self._updated(found.w, pairs) | unremembered(before.state)
        worked = Worked(before.cost, before.right, updated, before.figures)
        run.put(worked, self._data[0])
        self._here, self._weights, self._settings = found.there, found.w, settings_of(run)
        self._stop_where_it_ends(found)
        return [taken(run, worked, len(self._data[0]))]

    def _is_as_before(self, w: Array) -> bool:
        """Whether the cost is known: no callback has changed the weights or a setting since the last step."""
        if self._run.network.state:  # what was found of it is that of one step ago
            return False
        return np.array_equal(w, self._weights) and alike(self._settings, settings_of(self._run))

    def _stop_where_it_ends(self, found: Point) -> None:
        largest, tolerance = float(np.abs(found.there.gradient).max(initial=0)), self._optimizer.tolerance
        if largest <= tolerance:
            self._run.stop(f"at a minimum: no gradient is larger than {tolerance:g}")
        elif found.t == 0:
            self._run.stop(f"no lower cost was found along the line; the largest gradient is {largest:.3g}")

    def _evaluate(self, w: Array) -> Evaluation:
        self._try(w)
        always = 1  # as if in the first step: what layers draw must be the same wherever the line search looks
        evaluated = self._run.cost_and_gradients(*self._data, always)
        return Evaluation(float(evaluated.cost), self._flat(evaluated.gradients), evaluated)

    def _try(self, w: Array) -> None:
        """Let the network have the parameters w."""
        parameters = self._run.network.parameters
        for name, W in self._parts(w).items():
            parameters[name][...] = W

    def _flat(self, named: dict[str, Array]) -> Array:
        """Parameters, or their gradients, end to end: (P,)."""
        return _end_to_end(named[name] for name in self._names)

    def _parts(self, w: Array) -> dict[str, Array]:
        """A vector (P,) as parameters, by name."""
        parameters = self._run.network.parameters
        ends = np.cumsum([parameters[name].size for name in self._names])[:-1]
        parts = zip(self._names, np.split(w, ends), strict=True)
        return {name: part.reshape(parameters[name].shape) for name, part in parts}

    def _pairs(self) -> Pairs:
        """What the optimizer remembers: slots 0 and 1 are the oldest s and y; pairs of zeros stand for none."""
        slots, count = self._run.slot_arrays, 2 * self._optimizer.history
        vectors = [_end_to_end(slots[f"slot {i} of {name}"] for name in self._names) for i in range(count)]
        return [(s, y) for s, y in zip(vectors[::2], vectors[1::2], strict=True) if s.any()]

    def _updated(self, w: Array, pairs: Pairs) -> Updated:
        """New weights, and the pairs as slots."""
        none = [np.zeros_like(w)] * 2 * (self._optimizer.history - len(pairs))
        parts = [self._parts(vector) for vector in [w, *none, *(vector for pair in pairs for vector in pair)]]
        return {name: (parts[0][name], tuple(part[name] for part in parts[1:])) for name in self._names}


def _end_to_end(arrays: Iterable[Array]) -> Array:
    return np.concatenate([array.ravel() for array in arrays])
