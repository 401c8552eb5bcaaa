"""The user's arrays on their way into a network and their weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from chainrule.arrays import Array, Shape, check_finite
from chainrule.configuration import whole_number
from chainrule.data import Standardizer
from chainrule.errors import DataTypeError, SettingError, ShapeError
from chainrule.layers import Context, Layer
from chainrule.network.weights import as_sample_weights

AT_A_TIME = 512  # samples that go through the layers together in a prediction


def seed_of(random_state: Any) -> int:
    """The seed of a training: a whole number as it is, one that a RandomState draws, or a fresh one for None.

    NumPy's global state is not touched. Raises ValueError, in scikit-learn's words, for anything else.
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    generator = check_random_state(random_state)
    return int(random_state) if isinstance(random_state, Integral) else int(generator.randint(2**31 - 1))


def refuse_masked(value: Any, name: str) -> None:
    """Raise a DataTypeError for a masked array, whose gaps scikit-learn would read as numbers."""
    if isinstance(value, np.ma.MaskedArray):
        raise DataTypeError(f"{name}: masked arrays are not understood; fill the gaps first, for example x.filled(0)")


def counting(x: Array, y: Array, sample_weight: Any) -> tuple[Array, Array, Array | None]:
    """The samples and targets that count, and their weights (N,): to weigh nothing is not to be there.

    Raises:
        DataError, DataTypeError, ShapeError: the weights are not one number of at least 0 for each sample; or all 0.

    """
    refuse_masked(sample_weight, "sample_weight")
    weights = as_sample_weights(sample_weight, len(x), "sample_weight")
    if weights is None or weights.all():
        return x, y, weights
    counts = weights > 0
    return x[counts], y[counts], weights[counts]


def shaped(samples: Array, image_shape: Shape | None) -> Array:
    """Samples (N, …), each in `image_shape` where that is given."""
    if image_shape is None:
        return samples
    if not isinstance(image_shape, Iterable):
        raise SettingError(f"image_shape: expected a shape such as (1, 28, 28), got {image_shape!r}")
    sizes = tuple(whole_number(size, "image_shape") for size in image_shape)
    if samples[0].size != np.prod(sizes):
        raise ShapeError(f"image_shape: {sizes} takes {np.prod(sizes)} numbers, a sample of X has {samples[0].size}")
    return samples.reshape(len(samples), *sizes)


def learn_standardizer(samples: Array, weights: Array | None) -> Standardizer:
    """Mean and deviation: of each feature where samples are rows; one for all numbers of images and sequences."""
    if weights is not None and samples.ndim > 2:
        weights = np.repeat(weights, samples[0].size)
    return Standardizer.fit(_columns(samples), sample_weight=weights)


def standardized(samples: Array, standardizer: Standardizer | None) -> Array:
    """Samples (N, …) less their mean and over their deviation."""
    if standardizer is None:
        return samples
    return standardizer.apply(_columns(samples)).reshape(samples.shape)


def unstandardized(samples: Array, standardizer: Standardizer | None) -> Array:
    """The way back from `standardized`."""
    if standardizer is None:
        return samples
    columns = _columns(samples) * standardizer.deviation + standardizer.mean
    return columns.astype(samples.dtype).reshape(samples.shape)


def _columns(samples: Array) -> Array:
    return samples if samples.ndim == 2 else samples.reshape(-1, 1)


def through(layers: Iterable[Layer], x: Array) -> Array:
    """What the layers make of samples x (N, …), some hundred at a time."""
    parts = list(_in_parts(tuple(layers), x))
    y = parts[0] if len(parts) == 1 else np.concatenate(parts)
    check_finite(y, "the scores")
    return y


def _in_parts(layers: tuple[Layer, ...], x: Array) -> Iterator[Array]:
    for start in range(0, len(x), AT_A_TIME):
        y = x[start : start + AT_A_TIME]
        for layer in layers:
            y, _ = layer.forward(y, Context())
        yield y
