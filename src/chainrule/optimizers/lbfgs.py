"""L-BFGS: Newton's direction, guessed from the last few steps, and a line search. For small, full-batch problems.

Source: Nocedal & Wright, "Numerical Optimization", 2nd edition, 2006: the algorithms and equations named below.
Everything here is about a cost C(w) of one vector w (P,) and its gradient g (P,); a network's parameters, end to end,
are such a vector. Nothing here knows of networks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import positive_number, real_number, whole_number
from chainrule.operations.vectors import dot
from chainrule.optimizers.optimizer import Optimizer, Slots

DECREASE = 1e-4  # c₁: the share of the decrease that the slope promises which a step must bring at least
CURVATURE = 0.9  # c₂: the share of the slope that may be left at its end at most


class Evaluation(NamedTuple):
    """The cost at a place, its gradient (P,), and whatever else the caller wants to know of that place."""

    cost: float
    gradient: Array
    details: Any = None


Evaluate = Callable[[Array], Evaluation]
Pairs = list[tuple[Array, Array]]  # (s, y) (P,): by how much w and the gradient changed in a step; the last step last


class Point(NamedTuple):
    """A place w = start + t d on the line that is searched; `slope` is ∂C/∂t = g·d."""

    t: float
    slope: float
    w: Array
    there: Evaluation

    @property
    def cost(self) -> float:
        """The cost at this place; one that is not a number counts as infinite."""
        return math.inf if math.isnan(self.there.cost) else self.there.cost


@dataclass(eq=False)
class LBFGS(Optimizer):
    """Each epoch is one step on the cost of all samples, in which the cost is evaluated once or more.

    For `train(..., batch_size=None)` and smooth costs: where the cost is another in each step (dropout, mini-batches),
    or has kinks (an L1 penalty), steps grow short and end early. float64 goes deeper than float32.

    Args:
        learning_rate: the first length tried on each line, where 1 is Newton's step.
        history: how many steps the curvature is worked out from.
        evaluations: of the cost in one step, at most.
        tolerance: the training ends where no gradient is larger than this.

    """

    learning_rate: float = 1.0
    history: int = 10
    evaluations: int = 25
    tolerance: float = 1e-7

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "LBFGS: learning_rate")
        self.history = whole_number(self.history, "LBFGS: history")
        self.evaluations = whole_number(self.evaluations, "LBFGS: evaluations")
        self.tolerance = real_number(self.tolerance, "LBFGS: tolerance")

    def first_slots(self, W: Array) -> Slots:
        """Room for `history` pairs s, y; one of zeros is none."""
        return tuple(np.zeros_like(W) for _ in range(2 * self.history))

    def step(self, evaluate: Evaluate, w: Array, here: Evaluation, pairs: Pairs, rate: float) -> tuple[Point, Pairs]:
        """Where one step leads from w, where the cost is `here`, and the pairs that the next step shall know.

        The point is w itself (t = 0) where nothing lower was found. Changes nothing in place.
        """
        d = newton_direction(here.gradient, pairs)
        slope = float(dot(here.gradient, d))
        if not slope < 0:  # lost to rounding
            pairs, d = [], -here.gradient
            slope = float(dot(here.gradient, d))
        first = rate if pairs else rate * min(1.0, 1 / max(float(np.abs(here.gradient).sum()), 1e-300))
        start = Point(0.0, slope, w, here)
        found = Line(evaluate, start, d, self.evaluations).search(first)
        if found.t == 0 and pairs:  # what it remembers does not fit here: forget it
            return self.step(evaluate, w, here, [], rate)
        s, y = found.w - w, found.there.gradient - here.gradient
        if dot(s, y) > np.finfo(w.dtype).eps * dot(y, y):  # else the curvature is not positive
            pairs = [*pairs, (s, y)][-self.history :]
        return found, pairs


def newton_direction(g: Array, pairs: Pairs) -> Array:
    """−H g, where H is the inverse Hessian as far as `pairs` show it: the two-loop recursion (algorithm 7.4)."""
    q, shares = g, []
    for s, y in reversed(pairs):
        share = dot(s, q) / dot(y, s)
        q = q - share * y
        shares.append(share)
    if pairs:
        s, y = pairs[-1]
        q = dot(s, y) / dot(y, y) * q  # the first guess of H (equation 7.20)
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        q = q + (share - dot(y, q) / dot(y, s)) * s
    return -q


class Line:
    """The search along w = start + t d for a t > 0 that meets the strong Wolfe conditions (equation 3.7).

    1. C(t) ≤ C(0) + c₁ t C'(0): the cost has come down by a fair share of what the slope promises.
    2. |C'(t)| ≤ c₂ |C'(0)|: the slope has become flatter, so the step is not too short.
    """

    def __init__(self, evaluate: Evaluate, start: Point, d: Array, evaluations: int) -> None:
        self._evaluate, self._start, self._d = evaluate, start, d
        self._left = evaluations

    def search(self, first: float) -> Point:
        """A point that meets both conditions; the best one found where the evaluations do not suffice (algorithm 3.5).

        Trial lengths grow until a good one lies between the last two.
        """
        before, point = self._start, self._at(first)
        while True:
            if self._is_too_high(point) or (before.t > 0 and point.cost >= before.cost):
                return self._zoom(before, point)
            if self._is_flat(point):
                return point
            if point.slope >= 0:
                return self._zoom(point, before)
            if self._left == 0:
                return point
            nearest, farthest = point.t + 0.01 * (point.t - before.t), 10 * point.t
            before, point = point, self._at(lowest_between(before, point, nearest, farthest))

    def _zoom(self, low: Point, high: Point) -> Point:
        """A good point between two: `low` has the lower cost and slopes down towards `high` (algorithm 3.6)."""
        while self._left > 0 and low.t != high.t:
            left, right = sorted((low.t, high.t))
            margin = 0.1 * (right - left)  # a trial close to an end would teach little
            point = self._at(lowest_between(low, high, left + margin, right - margin))
            if self._is_too_high(point) or point.cost >= low.cost:
                high = point
                continue
            if self._is_flat(point):
                return point
            if point.slope * (high.t - low.t) >= 0:
                high = low
            low = point
        return low

    def _at(self, t: float) -> Point:
        self._left -= 1
        w = self._start.w + t * self._d
        there = self._evaluate(w)
        return Point(t, float(dot(there.gradient, self._d)), w, there)

    def _is_too_high(self, point: Point) -> bool:
        return point.cost > self._start.cost + DECREASE * point.t * self._start.slope

    def _is_flat(self, point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * self._start.slope


def lowest_between(a: Point, b: Point, least: float, most: float) -> float:
    """Where the cubic with the costs and slopes of a and b is lowest (equation 3.59), from `least` to `most`.

    The middle of those two where it has no lowest place, or something is not finite.
    """
    if a.t > b.t:
        a, b = b, a
    middle = (least + most) / 2
    d1 = a.slope + b.slope - 3 * (a.cost - b.cost) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not 0 <= square < math.inf:
        return middle
    d2 = math.sqrt(square)
    below = b.slope - a.slope + 2 * d2
    t = b.t - (b.t - a.t) * (b.slope + d2 - d1) / below if below else math.nan
    return min(max(t, least), most) if math.isfinite(t) else middle
