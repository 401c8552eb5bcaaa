"""From a fitted estimator to a network of its own, in the units of the user's data."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from chainrule.arrays import Array
from chainrule.configuration import JSON
from chainrule.data import Standardizer
from chainrule.estimators.parts import part
from chainrule.layers import BatchNorm, Layer
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.tabular import TabularPreprocessor
from chainrule.tabular.numeric import NumericColumn

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Standalone:
    """What estimators can do whose network has all that they know but for scales and names."""

    network_: Network
    _standardizer: Standardizer | None
    _target_scale: Standardizer | None = None

    def to_network(self, dtype: DTypeLike = "float32") -> Network:
        """A network that takes samples and answers in the units they were given in, to save, serve or export.

            classifier.fit(table, labels).to_network().save("model.safetensors")

        The standardisation is its first layer, a `BatchNorm` at rest; the scale of the targets is in its last one. Its
        metadata name the classes, and the columns of a table, so that `chainrule predict` and `chainrule serve` take
        tables with those columns. Samples have the shape that the network takes (see `image_shape`).

        Args:
            dtype: "float32", or "float64" for the very numbers that a float64 estimator gives; programs that read ONNX
                know few operators of it.

        Raises:
            NotFittedError: `fit` has not been called.

        """
        check_is_fitted(self, "network_")
        learned = self.network_
        copies: list[Layer] = [part(layer, Layer, "layers") for layer in learned.layers]
        front = [] if self._standardizer is None else [BatchNorm()]
        network = Network(
            [*front, *copies], part(learned.loss, Loss, "loss"), dtype=dtype, metadata=self._metadata()
        ).build(learned.input_shape or ())
        for old, new in zip(learned.layers, copies, strict=True):
            for name, array in {**old.parameters, **old.state}.items():
                {**new.parameters, **new.state}[name][...] = array
        if self._standardizer is not None:
            put_standardizer(network, self._standardizer)
        if self._target_scale is not None:
            put_target_scale(network, self._target_scale)
        return network

    def _metadata(self) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        classes: Array | None = getattr(self, "classes_", None)
        if classes is not None:
            found["class_names"] = [str(label) for label in classes]
        names: Any = getattr(self, "feature_names_in_", None)
        if names is not None and self.network_.input_shape == names.shape:
            preprocessor = TabularPreprocessor()
            preprocessor.columns = [column_as_it_is(str(name)) for name in names]
            found["preprocessing"] = preprocessor.to_dict()
        return found


def put_standardizer(network: Network, standardizer: Standardizer) -> None:
    """Have the first layer, a BatchNorm, work out (x − mean) / deviation."""
    arrays, epsilon = network.arrays, BatchNorm().epsilon
    arrays["layers.0.running_mean"][...] = standardizer.mean
    arrays["layers.0.running_variance"][...] = 1 - epsilon
    arrays["layers.0.gamma"][...] = 1 / standardizer.deviation
    network.freeze("layers.0")


def put_target_scale(network: Network, scale: Standardizer) -> None:
    """Have the last layer, a Linear, answer in the units of the targets: y = (x W + b) · deviation + mean."""
    *_, W, b = network.parameters.values()  # (I, K), (K,)
    W *= scale.deviation
    b *= scale.deviation
    b += scale.mean


def column_as_it_is(name: str) -> NumericColumn:
    """A column of numbers without gaps that are taken as they are; the network standardises them."""
    largest = sys.float_info.max
    return NumericColumn(name, median=0.0, low=-largest, high=largest, mean=0.0, deviation=1.0)
