"""Which samples go into a step, and how many of them are decided right. Source: mission items B3, E5."""

import numpy as np

from chainrule.arrays import Array, Labels
from chainrule.operations.operation import operation
from chainrule.operations.philox import random_bits


@operation
def shuffled(
    count: int,  # count = 11
    seed: int,  # seed = 7
    stream: int,  # stream = 3
    epoch: int,  # epoch = 2
) -> Labels:
    """The order of `count` rows in one epoch: each draws a random word, and they line up by its size."""
    bits = random_bits.reference(count, seed, stream, epoch)  # (count,)
    order = np.argsort(bits, kind="stable")  # (count,)   row numbers
    return order


@operation
def gather_rows(x: Array, index: Labels) -> Array:  # x (S, I), index (N,) < S
    """y_n = x_index(n)."""
    y = x[index]  # (N, I)
    return y


@operation
def gather_bytes(
    x: Labels,  # x (S, I) < 256
    index: Labels,  # index (N,) < S
    scale: Array,  # scale ()
) -> Array:
    """y_n = scale · x_index(n) / 255: bytes, such as the pixels of images, become numbers 0 … scale on the way."""
    share = np.divide(x[index], 255, dtype=np.float32)  # (N, I)   0 … 1
    y = scale * share  # (N, I)
    return y


@operation
def right_labels(f: Array, labels: Labels) -> Labels:  # f (N, K), labels (N,) < K
    """How many samples have their largest score at their label."""
    right = (f.argmax(axis=1) == labels).sum()  # ()
    return right


@operation
def right_rows(f: Array, t: Array) -> Labels:  # f (N, K), t (N, K)
    """How many samples have their largest score where their target is largest."""
    right = (f.argmax(axis=1) == t.argmax(axis=1)).sum()  # ()
    return right


@operation
def right_decisions(f: Array, t: Array) -> Labels:  # f (N, K), t (N, K)
    """How many samples have every score on the right side: f ≥ 0 where t ≥ ½, f < 0 elsewhere."""
    right = ((f >= 0) == (t >= 0.5)).all(axis=1).sum()  # ()
    return right
