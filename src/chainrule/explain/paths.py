"""All paths from one number, a parameter's or an input's, to the cost: ∂J/∂θ = Σ over paths Π ∂y/∂x. Mission E4.

A layer's derivatives are asked of the layer itself: its `backward`, given 1 at one output and 0 at all others, returns
the derivatives of that output by everything that goes into the layer. So nothing here knows what any layer does, and a
layer that a user adds is explained like all others. Walking forward with them, from θ to the scores,

    dy_b/dθ = Σ_a ∂y_b/∂x_a · dx_a/dθ,   and in the end   ∂J/∂θ = Σ_c ∂J/∂f_c · df_c/dθ,

adds up the very paths, in the direction opposite to the one in which the kernels worked the gradient out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import DerivationError
from chainrule.explain.passes import Pass

KEPT = 8  # paths that are kept at every number on the way, the largest; as many are shown at most
SAME = {"float64": 1e-10, "float32": 1e-3}  # how far path sum and gradient may differ, of Σ |terms|


@dataclass(frozen=True)
class Node:
    """One number on a path."""

    place: str  # of the layer that it came out of; "x" for an input
    kind: str
    index: tuple[int, ...]  # in that layer's output (sample, …)
    value: float
    slope: float  # its derivative by the number before it on the path


@dataclass(frozen=True)
class Path:
    """θ → nodes → J, and the product of the derivatives along it."""

    nodes: tuple[Node, ...]
    last_slope: float  # ∂J/∂ the last node, a score
    product: float


@dataclass(frozen=True)
class Term:
    """What goes through one number of a layer's output: ∂J/∂y · dy/dθ."""

    index: tuple[int, ...]
    value: float  # y
    outer: float  # ∂J/∂y
    inner: float  # dy/dθ
    product: float


@dataclass(frozen=True)
class Rest:
    """The smaller terms of a sum, together."""

    count: int
    total: float


@dataclass(frozen=True)
class Stage:
    """The sum over the outputs of one layer. At every layer on the way it is ∂J/∂θ."""

    place: str
    kind: str
    outputs: int
    alive: int  # outputs that J depends on: ∂J/∂y ≠ 0
    reached: int  # of those, outputs that depend on θ
    terms: tuple[Term, ...]
    rest: Rest
    sum: float

    def has_terms_of(self, other: Stage) -> bool:
        """Whether its terms are those of another layer, as behind a Flatten or a ReLU that lets all of them through."""
        ours, theirs = ([round(t.product, 15) for t in stage.terms] for stage in (self, other))
        return ours == theirs and self.reached == other.reached


@dataclass(frozen=True)
class Walk:
    """All paths from θ: how many, the largest, the sums over each layer on the way, and the sum over all."""

    count: float  # exact below 2⁵³
    largest: tuple[Path, ...]
    rest: Rest
    stages: tuple[Stage, ...]
    sum: float


class _Level(NamedTuple):
    """What is known of the numbers x[k] that can be reached from θ."""

    places: Array  # (P,) their places in x[k], flat
    derivative: Array  # (P,) dx/dθ
    counts: Array  # (P,) paths that lead to each
    products: Array  # (P, KEPT) of the largest paths to each, the largest first; 0 where there are fewer
    came_from: Array  # (P, KEPT) which number of the level before, and
    rank: Array  # (P, KEPT) which of its paths
    slopes: Array  # (P, KEPT) the last derivative on it


def walk(
    taken: Pass, start: int, parameter: str | None, index: tuple[int, ...], gradient: float, most: int
) -> Walk:  # fmt: skip
    """All paths from x[start][index], or from that number of the `parameter` of the part at `start`.

    Raises DerivationError where they do not add up to `gradient`, as the kernels gave it.
    """
    if parameter is None:
        place = np.ravel_multi_index(index, taken.x[start].shape)
        levels = [_beginning(np.array([place]), np.ones(1))]
    else:
        levels = [_from_parameter(taken, start, parameter, index)]
        start += 1
    for position in range(start, len(taken.parts)):
        levels.append(_through(taken, position, levels[-1]))
    stages = tuple(_stage(taken, start + k, level, most) for k, level in enumerate(levels) if start + k > 0)
    total = float(_outer(taken, len(taken.parts), levels[-1]) @ levels[-1].derivative)
    _check_agree(taken, stages, gradient)
    count = float(levels[-1].counts.sum())
    largest = _largest_paths(taken, start, levels, min(most, KEPT))
    rest = Rest(int(count) - len(largest), total - sum(path.product for path in largest))
    return Walk(count, largest, rest, stages, total)


def _beginning(places: Array, derivative: Array) -> _Level:
    products = np.zeros((len(places), KEPT))
    products[:, 0] = derivative
    slopes, none = products.copy(), np.full(products.shape, -1)
    return _Level(places, derivative, np.ones(len(places)), products, none, none, slopes)


def _outer(taken: Pass, position: int, level: _Level) -> Array:
    """∂J/∂x[position] at the places of a level."""
    return taken.at[position].ravel()[level.places].astype(np.float64)


def unit(like: Array, place: int) -> Array:
    """1 at one place, 0 at all others."""
    dy = np.zeros(like.size, like.dtype)
    dy[place] = 1
    return dy.reshape(like.shape)


def _alive(taken: Pass, position: int) -> Array:
    """The places in x[position] that J depends on; through all others, the paths have a factor of 0."""
    return np.flatnonzero(taken.at[position])


def _from_parameter(taken: Pass, position: int, parameter: str, index: tuple[int, ...]) -> _Level:
    """The outputs of a part that its parameter's number moves directly."""
    part, y = taken.parts[position], taken.x[position + 1]
    places = _alive(taken, position + 1)
    slopes = np.array(
        [
            float(part.layer.backward_parameters(unit(y, place), taken.saved[position])[parameter][index])
            for place in places
        ]
    )
    moved = slopes != 0
    return _beginning(places[moved], slopes[moved])


def _through(taken: Pass, position: int, before: _Level) -> _Level:
    """From the numbers that go into a part to those that come out of it."""
    y, rows = taken.x[position + 1], []
    for place in _alive(taken, position + 1):
        dx, _ = taken.backward(position, unit(y, place))
        row = dx.reshape(-1)[before.places].astype(np.float64)
        touched = row.nonzero()[0]
        if len(touched):
            rows.append((place, *_joined(before, row[touched], touched)))
    if not rows:
        none = np.zeros((0, KEPT))
        return _Level(np.zeros(0, int), np.zeros(0), np.zeros(0), none, none.astype(int), none.astype(int), none)
    return _Level(*(np.array(column) for column in zip(*rows, strict=True)))


def _joined(before: _Level, slopes: Array, touched: Array) -> tuple[Any, ...]:
    """What is known of one number that depends on the `touched` ones of the level before, with these slopes."""
    derivative = slopes @ before.derivative[touched]
    count = before.counts[touched].sum()
    products = slopes[:, None] * before.products[touched]
    best = np.argsort(-np.abs(products), axis=None, kind="stable")[:KEPT]
    who, rank = np.divmod(best, KEPT)
    return derivative, count, products.reshape(-1)[best], touched[who], rank, slopes[who]


def _stage(taken: Pass, position: int, level: _Level, most: int) -> Stage:
    """The sum over x[position]."""
    outer = _outer(taken, position, level)
    products = outer * level.derivative
    order = np.argsort(-np.abs(products), kind="stable")[:most]
    x, part = taken.x[position], taken.parts[position - 1]
    terms = tuple(
        Term(
            _index(x, level.places[k]),
            float(x.flat[level.places[k]]),
            float(outer[k]),
            float(level.derivative[k]),
            float(products[k]),
        )
        for k in order
    )
    total = float(products.sum())
    rest = Rest(
        len(products) - len(terms), total - sum(term.product for term in terms) if len(products) > most else 0.0
    )
    alive = len(_alive(taken, position))
    return Stage(part.place, part.kind, x.size, alive, len(products), terms, rest, total)


def _index(x: Array, place: int) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(place), x.shape))


def _largest_paths(taken: Pass, start: int, levels: list[_Level], most: int) -> tuple[Path, ...]:
    """The paths of the largest products, traced back from the scores."""
    outer = _outer(taken, len(taken.parts), levels[-1])
    products = outer[:, None] * levels[-1].products
    order = np.argsort(-np.abs(products), axis=None, kind="stable")[:most]
    paths = []
    for flat in order:
        who, rank = (int(i) for i in divmod(int(flat), KEPT))
        if products[who, rank]:
            paths.append(_traced(taken, start, levels, who, rank, float(products[who, rank]), float(outer[who])))
    return tuple(paths)


def _traced(taken: Pass, start: int, levels: list[_Level], who: int, rank: int, product: float, last: float) -> Path:
    nodes = []
    for k in reversed(range(len(levels))):
        level, x, position = levels[k], taken.x[start + k], start + k
        part = taken.parts[position - 1] if position else None
        place, kind = (part.place, part.kind) if part else ("x", "input")
        at = int(level.places[who])
        nodes.append(Node(place, kind, _index(x, at), float(x.flat[at]), float(level.slopes[who, rank])))
        who, rank = int(level.came_from[who, rank]), int(level.rank[who, rank])
    return Path(tuple(reversed(nodes)), last, product)


def _check_agree(taken: Pass, stages: tuple[Stage, ...], gradient: float) -> None:
    """The sums over all layers are one number, the gradient. Raises DerivationError where one is not."""
    limit = SAME[str(taken.J.dtype)]
    for stage in stages:
        scale = sum(abs(term.product) for term in stage.terms) + abs(gradient)
        if abs(stage.sum - gradient) > limit * scale:
            raise DerivationError(
                f"{stage.place} ({stage.kind}): the sum over its outputs is {stage.sum:.9g}, the gradient "
                f"{gradient:.9g}; is the backward of a layer here not linear in dy, or not its derivative?"
            )
