"""A network in Keras, as its exported script makes it, with an optimizer of Keras's."""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from typing import Any

from chainrule import optimizers
from chainrule.arrays import Array
from chainrule.errors import MissingExtraError, SettingError
from chainrule.export import to_keras_script
from chainrule.export.keras_script import keras_model
from chainrule.layers import GRU
from chainrule.network import Network
from chainrule.regularizers import Penalty


class KerasModel:
    """The model of `to_keras_script`, which trains on. `samples` is how many a penalty may be divided by."""

    def __init__(
        self, network: Network, optimizer: optimizers.Optimizer, penalty: Penalty | None, samples: int
    ) -> None:
        try:
            import keras
        except ImportError:
            raise MissingExtraError("Keras and a backend for it", "keras", "a twin in Keras") from None
        _refuse_gru(network)
        self.name = f"Keras {keras.__version__} on {keras.backend.backend()}"
        self.carried = keras_model(network).carried
        self._before = keras.config.floatx(), keras.config.dtype_policy()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "twin.py"
            to_keras_script(network, path)
            script = runpy.run_path(str(path))
        self._model = script["model"]
        if penalty is not None:
            l1, l2 = penalty.scales(network.parameters, samples)
            for W in self._model.trainable_variables:
                if penalty.biases or len(W.shape) > 1:
                    W.regularizer = keras.regularizers.L1L2(l1, l2 / 2)  # l2 Σ w², without the ½
        self._model.compile(_optimizer(optimizer), loss=script["cost"])

    def step(self, x: Array, t: Array) -> None:
        """One step of its optimizer on one batch."""
        self._model.train_on_batch(x, t)

    def arrays(self) -> dict[str, Array]:
        """The weights of all layers, by the names of `carried`."""
        weights = [W for layer in self._model.layers for W in layer.get_weights()]
        return dict(zip([one.theirs for one in self.carried], weights, strict=True))

    def close(self) -> None:
        """Give Keras back the precision that it had."""
        import keras

        keras.config.set_floatx(self._before[0])
        keras.config.set_dtype_policy(self._before[1])


def _refuse_gru(network: Network) -> None:
    for position, layer in enumerate(network.layers):
        if isinstance(getattr(layer, "layer", layer), GRU):
            raise SettingError(
                f"layers.{position}: Keras trains two biases of r and z in a GRU, of which the sum counts, so that it "
                "learns twice as fast; leave it out, or compare with PyTorch"
            )


def _optimizer(ours: Any) -> Any:
    """Keras's optimizer of the same formula and settings. Raises SettingError where there is none."""
    from keras import optimizers as theirs

    kind, rate = type(ours), ours.learning_rate
    if kind is optimizers.SGD:
        return theirs.SGD(rate)
    if kind in (optimizers.Momentum, optimizers.Nesterov):
        return theirs.SGD(rate, momentum=ours.momentum, nesterov=kind is optimizers.Nesterov)
    if kind is optimizers.Adadelta:
        return theirs.Adadelta(rate, rho=ours.decay, epsilon=ours.epsilon)
    if kind is optimizers.Adam:  # ε is added before the bias correction there: differences of about ε
        return theirs.Adam(rate, beta_1=ours.beta1, beta_2=ours.beta2, epsilon=ours.epsilon)
    raise SettingError(f"optimizer: Keras has none with the formula of {kind.__name__}; use SGD, Momentum or Nesterov")
