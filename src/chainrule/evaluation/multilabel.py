"""How well independent yes/no answers are given, one by one."""

from typing import Any

from chainrule.arrays import Array, as_floats, as_numbers
from chainrule.errors import ShapeError
from chainrule.losses.targets import as_decisions, as_rows


def accuracy_per_label(targets: Any, answers: Any) -> Array:
    """The share of samples for which each of K independent yes/no answers is right.

    `network.evaluate` counts a sample as right only where all K are (exact match, scikit-learn's accuracy_score); the
    mean of these K shares counts every answer for itself (Keras' BinaryAccuracy, 1 − scikit-learn's hamming_loss).

    Args:
        targets: 0 or 1 (N, K).
        answers: what `network.predict` gives (N, K), yes from ½ on.

    Returns:
        float64 (K,).

    Raises:
        DataError, DataTypeError, ShapeError: targets that are not 0 or 1, or of another shape than the answers.

    """
    p = as_floats(answers, "answers", "float64")
    if p.ndim != 2 or len(p) == 0:
        raise ShapeError(f"answers: expected a row of answers for each sample (N, K), got an array {p.shape}")
    t = as_decisions(as_rows(as_numbers(targets, "targets"), p.shape[1:], "targets"), "targets")
    if len(t) != len(p):
        raise ShapeError(f"answers has {len(p)} samples, targets {len(t)}; they must be as many")
    return ((p >= 0.5) == (t == 1)).mean(axis=0)
