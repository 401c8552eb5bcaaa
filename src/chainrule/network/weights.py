"""How much each sample counts in a cost: what users give as sample and class weights becomes one weight for each.

The weights are brought to a mean of 1, so that only their proportions count: J = Σ w_n L_n / Σ w_n over the data, and
(1/m) Σ w_n L_n over a batch of m, which is J in the mean over batches. A weight of 2 is the sample twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array, Labels, as_floats
from chainrule.configuration import real_number
from chainrule.errors import DataError, SettingError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def as_sample_weights(value: Any, samples: int, name: str) -> Array | None:
    """`value` as one weight of at least 0 for each sample (N,), the largest brought to 1; or None.

    Raises:
        ShapeError: not one number for each sample.
        DataError, DataTypeError: no numbers, or one is not finite or negative, naming the first such row; or all are 0.

    """
    if value is None:
        return None
    weights = as_floats(value, name, np.float64)
    if weights.shape != (samples,):
        raise ShapeError(f"{name}: expected one weight for each of the {samples} samples, got an array {weights.shape}")
    _refuse_negative(weights, name, "row")
    return _below_1(weights, name)


def as_class_weights(value: Any, labels: Labels | None, classes: int, weights: Array | None, name: str) -> Array | None:
    """`value` as one weight for each class (K,), or None.

    Args:
        value: {class: weight}, others 1; or an array (K,); or "balanced": classes count alike however many samples they
            have, weight N / (K N_k) as in scikit-learn, K being the classes that occur; one that does not gets 1.
        labels: the class of each sample (N,), or None where there are none.
        classes: K.
        weights: of the samples (N,); "balanced" counts with them.
        name: of the setting, for errors.

    Raises:
        SettingError: the targets name no classes; a key is not one, or its weight no number of at least 0; or another
            word than "balanced".
        ShapeError, DataError, DataTypeError: an array of the wrong length, or not of finite weights of at least 0.

    """
    if value is None:
        return None
    if labels is None:
        raise SettingError(f"{name}: the targets do not name one class for each sample; use sample_weight")
    if isinstance(value, str):
        return _balanced(value, labels, classes, weights, name)
    by_class = np.ones(classes)
    if isinstance(value, Mapping):
        for key, weight in value.items():
            if isinstance(key, bool) or not isinstance(key, int | np.integer) or not 0 <= key < classes:
                raise SettingError(f"{name}: expected classes from 0 to {classes - 1}, got {key!r}")
            by_class[key] = real_number(weight, f"{name} of class {key}")
    else:
        by_class = as_floats(value, name, np.float64)
    if by_class.shape != (classes,):
        raise ShapeError(
            f"{name}: expected one weight for each of the {classes} classes, got an array {by_class.shape}"
        )
    _refuse_negative(by_class, name, "class")
    return by_class


def combined(weights: Array | None, by_class: Array | None, labels: Labels | None, dtype: DTypeLike) -> Array | None:
    """Sample weights (N,) times the weights of the samples' classes, with a mean of 1; None where nothing is weighted.

    Raises DataError where all products are 0.
    """
    if by_class is not None and labels is not None:
        weights = by_class[labels] if weights is None else weights * by_class[labels]
    if weights is None:
        return None
    w = _below_1(weights, "sample_weight and class_weight")
    return (w / w.mean()).astype(dtype)


def _below_1(weights: Array, name: str) -> Array:
    """Weights in the same proportions, the largest 1, so that no sum overflows. Raises DataError where all are 0."""
    largest = weights.max(initial=0)
    if largest == 0:
        raise DataError(f"{name}: the weights of all samples are zero; at least one must count")
    return weights / largest


def _balanced(word: str, labels: Labels, classes: int, weights: Array | None, name: str) -> Array:
    if word != "balanced":
        raise SettingError(f'{name}: expected "balanced", {{class: weight}} or an array, got {word!r}')
    counts = np.bincount(labels, weights, minlength=classes)  # (K,)
    occurs = counts > 0
    return np.where(occurs, counts.sum() / (occurs.sum() * np.where(occurs, counts, 1)), 1.0)


def _refuse_negative(weights: Array, name: str, kind: str) -> None:
    if (weights < 0).any():
        place = int((weights < 0).argmax())
        raise DataError(f"{name}: weights must be 0 or more; {kind} {place} has {weights[place]:g}")
