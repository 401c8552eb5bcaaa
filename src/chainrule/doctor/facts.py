"""What the data themselves tell, before any network sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Labels

MOST_ROWS = 2000  # measured, spread over the data; neighbours take time that grows with its square
NEIGHBOURS = 15
FEWEST_ROWS = 40  # of fewer, neighbours say little
FAR = 1000  # times as large as what 19 of 20 samples have: a value that no scale explains
SHIFTS = (1, -1, 2, -2)  # by how many rows targets slip when a line is lost or doubled


@dataclass(frozen=True)
class Neighbours:
    """How well samples answer for those that are most like them.

    Args:
        agreement: the share of samples whose class most of their 15 neighbours have; of numbers, R² of their mean.
        chance: what guessing would reach: the share of the most frequent class; 0 for numbers.
        pure: the share of samples whose neighbours all have the same class, but one at most. Classes that overlap
            leave many of these; labels that are wrong here and there leave next to none.
        doubtful: rows of the training data whose neighbours mostly agree on another class than theirs.
        shift: by how many rows the targets have slipped, where agreement is far better with them moved back; else 0.
        shifted: the agreement with them moved back.

    """

    agreement: float
    chance: float
    pure: float
    doubtful: tuple[int, ...]
    shift: int = 0
    shifted: float = 0.0


@dataclass(frozen=True)
class Facts:
    """What there is to know about the training data, and the validation data where there are any.

    Args:
        samples: how many there are to train on.
        features: of each.
        spread: the standard deviation of each feature that is not constant (…), rows with values far off left out.
        offset: the mean of each of these features, in size.
        far: rows of the training data with a value, or a target, far beyond all others.
        farthest: the largest of those values.
        classes: how many samples each class has; None where targets are numbers.
        leaked: rows of the training data that stand in the validation data too.
        leaked_share: of the validation data, how much is in the training data.
        repeated: the share of training rows that stand there more than once.
        neighbours: None for too few samples, and where features are no measurements.

    """

    samples: int
    features: int
    spread: Array
    offset: Array
    far: tuple[int, ...] = ()
    farthest: float = 0.0
    classes: Labels | None = None
    leaked: tuple[int, ...] = ()
    leaked_share: float = 0.0
    repeated: float = 0.0
    neighbours: Neighbours | None = None


def facts_of(
    x: Array, t: Array, classes: Labels | None, validation: Array | None = None, *, measurements: bool = True
) -> Facts:
    """The facts of training samples x (N, …) with targets t, their classes (N,) or None, and validation samples.

    `measurements` is False where the numbers in x are names, as those of words.
    """
    rows = x.reshape(len(x), -1)
    far, farthest = _far(rows, t if t.dtype.kind == "f" else None)
    near = np.setdiff1d(np.arange(len(rows)), far)
    kept = near[np.linspace(0, len(near) - 1, min(MOST_ROWS, len(near))).astype(int)]
    usual = rows[kept]
    spread, offset = usual.std(axis=0, dtype=np.float64), np.abs(usual.mean(axis=0, dtype=np.float64))
    varies = spread > 1e-6 * offset
    leaked, share, repeated = _doubles(rows, validation)
    neighbours = None
    if measurements and len(near) >= FEWEST_ROWS and varies.any():
        nearest = _nearest(usual[:, varies] / spread[varies])
        neighbours = _of_numbers(nearest, t[kept]) if classes is None else _of_classes(nearest, classes[kept], kept)
    return Facts(
        samples=len(rows),
        features=rows.shape[1],
        spread=spread[varies],
        offset=offset[varies],
        far=far,
        farthest=farthest,
        classes=None if classes is None else np.bincount(classes),
        leaked=leaked,
        leaked_share=share,
        repeated=repeated,
        neighbours=neighbours,
    )


def _far(rows: Array, numbers: Array | None) -> tuple[tuple[int, ...], float]:
    """The rows with a value far beyond what 19 of 20 rows have, and the largest such value."""
    found, farthest = set[int](), 0.0
    for values in (rows, numbers):
        if values is None:
            continue
        flat = values.reshape(len(values), -1)
        largest = np.maximum(flat.max(axis=1), -flat.min(axis=1))  # (N,)
        usual = np.sort(largest)[int(0.95 * (len(largest) - 1))]
        beyond = np.flatnonzero(largest > FAR * max(float(usual), 1e-30))
        if beyond.size:
            found |= set(beyond.tolist())
            farthest = max(farthest, float(largest.max()))
    return tuple(sorted(found)), farthest


def _doubles(rows: Array, validation: Array | None) -> tuple[tuple[int, ...], float, float]:
    """Training rows that are validation rows too; the share of validation rows that are; the share repeated."""
    keys = [hash(row.tobytes()) for row in rows]  # 64 bits: no two rows share one by chance
    counts: dict[int, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    repeated = sum(count for count in counts.values() if count > 1) / len(keys)
    if validation is None:
        return (), 0.0, repeated
    others = [hash(row.tobytes()) for row in validation.reshape(len(validation), -1)]
    both = set(others) & set(counts)
    leaked = tuple(row for row, key in enumerate(keys) if key in both)
    return leaked, sum(key in both for key in others) / len(others), repeated


def _nearest(x: Array) -> Labels:
    """The rows (N, 15) nearest to each of x (N, D), itself left out; of few samples fewer."""
    x = x.astype(np.float32) - x.mean(axis=0).astype(np.float32)
    squares = (x * x).sum(axis=1)
    distance = squares[:, None] + squares - 2 * (x @ x.T)  # (N, N) ‖a − b‖²
    np.fill_diagonal(distance, np.inf)
    count = min(NEIGHBOURS, len(x) // 10)
    return np.argpartition(distance, count, axis=1)[:, :count]


def _of_classes(near: Labels, y: Labels, rows: Labels) -> Neighbours:
    """What the neighbours (N, 15) of samples of classes y (N,) say; `rows` are the samples' places in the data."""
    votes = np.stack([(y[near] == k).sum(axis=1) for k in range(int(y.max()) + 1)], axis=1)  # (N, K)
    answer, agreement = votes.argmax(axis=1), _agreement(near, y)
    moved = {shift: _agreement(near, np.roll(y, shift)) for shift in SHIFTS}
    best = max(moved, key=lambda shift: moved[shift])
    chance = float(np.bincount(y).max() / len(y))
    slipped = moved[best] - chance > 2 * max(agreement - chance, 0) + 0.3 * (1 - chance)
    return Neighbours(
        agreement=agreement,
        chance=chance,
        pure=float((votes.max(axis=1) >= near.shape[1] - 1).mean()),
        doubtful=tuple(rows[answer != y].tolist()),
        shift=best if slipped else 0,
        shifted=moved[best],
    )


def _agreement(near: Labels, y: Labels) -> float:
    """The share of samples whose class most of their neighbours have."""
    votes = np.stack([(y[near] == k).sum(axis=1) for k in range(int(y.max()) + 1)], axis=1)
    return float((votes.argmax(axis=1) == y).mean())


def _of_numbers(near: Labels, t: Array) -> Neighbours:
    """The same for targets that are numbers t (N, …)."""
    values = t.reshape(len(t), -1).astype(np.float64)
    agreement = _explained(near, values)
    moved = {shift: _explained(near, np.roll(values, shift, axis=0)) for shift in SHIFTS}
    best = max(moved, key=lambda shift: moved[shift])
    slipped = moved[best] > 2 * max(agreement, 0) + 0.3
    return Neighbours(agreement, 0.0, 0.0, (), best if slipped else 0, moved[best])


def _explained(near: Labels, t: Array) -> float:
    """R² of the neighbours' mean."""
    total = ((t - t.mean(axis=0)) ** 2).sum()
    return float(1 - ((t - t[near].mean(axis=1)) ** 2).sum() / total) if total else 1.0
